import { isIP, type LookupFunction } from 'node:net';
import type { Agent as AgentType, Dispatcher } from 'urllib';
import type { CheckAddress, DispatcherOptions } from './options.js';

interface Address {
  address: string;
  family: number;
}

/** An address that `checkAddress` has refused. */
class IllegalAddressError extends Error {
  readonly hostname: string;
  readonly ip: string;
  readonly family: number | string;

  constructor(hostname: string, { address, family }: Address) {
    super(`illegal address ${address} of ${hostname}`);
    this.name = 'IllegalAddressError';
    this.hostname = hostname;
    this.ip = address;
    this.family = family;
  }
}

/**
 * Makes the connections of a client. `checkAddress` sees what a name resolves to at the moment of each connection, so
 * neither a redirect nor a DNS record that has changed since leads past it.
 */
export function createAgent(
  Agent: typeof AgentType,
  { checkAddress, lookup, connect, ...options }: DispatcherOptions,
): AgentType {
  if (!checkAddress) return new Agent({ ...options, connect: lookup ? { ...connect, lookup } : connect });
  class CheckedAgent extends Agent {
    override dispatch(request: AgentType.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
      // A name that is an address is connected to without a lookup.
      const hostname = new URL(String(request.origin)).hostname.replace(/^\[(.*)\]$/, '$1');
      const family = isIP(hostname);
      if (family !== 0) check(checkAddress as CheckAddress, hostname, [{ address: hostname, family }]);
      return super.dispatch(request, handler);
    }
  }
  return new CheckedAgent({ ...options, connect: { ...connect, lookup: checkedLookup(checkAddress, lookup) } });
}

function checkedLookup(checkAddress: CheckAddress, lookup: LookupFunction | undefined): LookupFunction {
  const resolve = lookup ?? (process.getBuiltinModule('node:dns').lookup as LookupFunction);
  return (hostname, options, callback) =>
    resolve(hostname, options, (error, address, family) => {
      if (!error) {
        try {
          const found = Array.isArray(address) ? address : [{ address, family: family as number }];
          check(checkAddress, hostname, found);
        } catch (refused) {
          callback(refused as Error, address, family);
          return;
        }
      }
      callback(error, address, family);
    });
}

/** @throws {IllegalAddressError} if one of them is refused: which of them is connected to is not known yet */
function check(checkAddress: CheckAddress, hostname: string, found: Address[]): void {
  const refused = found.find(({ address, family }) => !checkAddress(address, family, hostname));
  if (refused) throw new IllegalAddressError(hostname, refused);
}
