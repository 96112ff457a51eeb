import type { IncomingMessage } from 'node:http';

/** Why a request is refused. */
export interface Refusal {
  status: number;
  error: string;
}

/**
 * Keeps other web sites out, which a browser that can reach the listener would let in: a name of theirs that resolves to this
 * address (DNS rebinding) is in Host, and a request that one of their pages sends has their Origin.
 *
 * @param allowedHosts names besides the address of the listener and `localhost`
 * @param isStatic whether it is for a file of the page, which holds no data: a link on another site may open it
 */
export function refuseForeign(
  req: Pick<IncomingMessage, 'headers' | 'socket'>,
  { allowedHosts, isStatic }: { allowedHosts: readonly string[]; isStatic: boolean },
): Refusal | undefined {
  const { host = '', origin, 'sec-fetch-site': site } = req.headers;
  const name = hostName(host);
  if (name === undefined || !isKnown(name, req.socket.localAddress, allowedHosts)) {
    const shown = JSON.stringify(host.slice(0, 100));
    return { status: 403, error: `the host ${shown} is not known here; name it in option admin.allowedHosts` };
  }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return { status: 403, error: 'the request comes from another origin' };
  }
  if ((site === 'cross-site' || site === 'same-site') && !(isStatic && isNavigation(req))) {
    return { status: 403, error: `the request comes from another site (${site})` };
  }
  return undefined;
}

function isNavigation({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** @returns the name in a Host header, without its port; undefined if it is none */
function hostName(host: string): string | undefined {
  const [, name] = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(host) ?? [];
  return name
    ?.toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

/** The address itself cannot be rebound, only a name can. @param local undefined on a unix socket */
function isKnown(name: string, local: string | undefined, allowed: readonly string[]): boolean {
  if (name === 'localhost' || name === '127.0.0.1' || name === '::1') return true;
  if (local !== undefined && name === local.toLowerCase().replace(/^::ffff:/, '')) return true;
  return allowed.some((each) => each.toLowerCase() === name);
}
