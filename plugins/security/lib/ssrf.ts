import { BlockList, isIP } from 'node:net';
import type { CheckAddress } from '../../../framework/index.js';
import type { SsrfOptions } from './options.js';

/** What is not the public internet: https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6- */
const NOT_PUBLIC = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
];

/** @returns the check of the addresses that `safeCurl` connects to */
export function compileSsrf(options: SsrfOptions): CheckAddress {
  const { ipBlackList, ipExceptionList, hostnameExceptionList, checkAddress } = options;
  if (checkAddress) return checkAddress;
  const blocked = blockList(ipBlackList ?? NOT_PUBLIC);
  const excepted = blockList(ipExceptionList ?? []);
  const hostnames = new Set(hostnameExceptionList ?? []);
  return (address, _family, hostname) => {
    if (hostname !== undefined && hostnames.has(hostname)) return true;
    const ip = plainAddress(address);
    return excepted(ip) || !blocked(ip);
  };
}

/** An IPv4 address inside an IPv6 one is the IPv4 address. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

function blockList(entries: string[]): (ip: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [ip = '', prefix] = entry.split('/');
    const type = isIP(ip) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(ip, type);
    else list.addSubnet(ip, Number(prefix), type);
  }
  return (ip) => list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}
