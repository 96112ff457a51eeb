import type { NodeConnectionOptions } from '@nats-io/transport-node';

type Servers = Pick<NodeConnectionOptions, 'servers' | 'user' | 'pass' | 'token'>;

/** The client takes neither a list in one text nor a user in a url: `nats://user:password@a:4222,b:4222`, `nats://token@a:4222`. */
export function natsServers(url = '127.0.0.1:4222'): Servers {
  const end = url.lastIndexOf('@');
  const user = /^(?:\w+:\/\/)?(.*)$/.exec(url.slice(0, Math.max(end, 0)))?.[1] ?? '';
  const scheme = /^\w+:\/\//.exec(url)?.[0] ?? '';
  const servers = (end < 0 ? url : scheme + url.slice(end + 1)).split(',');
  if (user === '') return { servers };
  const colon = user.indexOf(':');
  if (colon < 0) return { servers, token: decoded(user) };
  return { servers, user: decoded(user.slice(0, colon)), pass: decoded(user.slice(colon + 1)) };
}

/** A password may have been written as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
