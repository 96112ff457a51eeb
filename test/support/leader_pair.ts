import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ClusterClientOptions } from '../../leader/client_types.js';
import { ClusterClients } from '../../leader/cluster_clients.js';
import { temporaryDirectory } from './apps.js';

export interface Pair {
  leader(options?: ClusterClientOptions): ClusterClients;
  follower(options?: ClusterClientOptions): ClusterClients;
  file: string;
  errors: Error[];
}

/** A Leader and Followers in this process; between them is a real socket. */
export function pair(t: TestContext): Pair {
  const file = path.join(temporaryDirectory(t), 'leader.sock');
  const errors: Error[] = [];
  const make = (
    role: ConstructorParameters<typeof ClusterClients>[0],
    options: ClusterClientOptions = {},
  ): ClusterClients => {
    const clients = new ClusterClients(role, options, (error) => errors.push(error));
    t.after(() => clients.close());
    return clients;
  };
  return {
    leader: (options) => make({ kind: 'leader', token: 'secret', listen: () => ({ path: file }) }, options),
    follower: (options) => make({ kind: 'follower', token: 'secret', address: () => ({ path: file }) }, options),
    file,
    errors,
  };
}
