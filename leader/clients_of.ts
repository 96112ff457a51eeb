import type { ListenOptions } from 'node:net';
import { isMainThread, threadId } from 'node:worker_threads';
import type { LeaderInfo } from '../ipc/socket_path.js';
import type { ClusterClientOptions } from './client_types.js';
import { ClusterClients } from './cluster_clients.js';
import { leaderAddress, removeStaleSockets } from './endpoint.js';
import type { LeaderChannel } from './leader_channel.js';

interface Owner {
  type: 'application' | 'agent';
  config: Record<string, unknown>;
  options: { leader?: LeaderInfo; localBus?: { channels: Map<string, LeaderChannel> }; clusterPort?: number };
}

/** @returns what makes the shared clients of an Agent or Application: real ones in the Agent, Followers elsewhere */
export function clusterClientsOf({ type, config, options }: Owner, onError: (error: Error) => void): ClusterClients {
  const { tcp, ...defaults } = config['clusterClient'] as ClusterClientOptions & { tcp?: boolean };
  const { leader, localBus, clusterPort } = options;
  const port = tcp ? clusterPort : undefined;
  if (!leader) {
    return new ClusterClients({ kind: 'single', channels: localBus?.channels ?? new Map() }, defaults, onError);
  }
  if (type === 'agent') {
    const id = isMainThread ? process.pid : threadId;
    const listen = (): ListenOptions => {
      removeStaleSockets(leader);
      return leaderAddress(leader, String(id), port);
    };
    return new ClusterClients({ kind: 'leader', token: leader.token, listen }, defaults, onError);
  }
  const address = (): ListenOptions | undefined =>
    leader.agent === undefined ? undefined : leaderAddress(leader, String(leader.agent), port);
  return new ClusterClients({ kind: 'follower', token: leader.token, address }, defaults, onError);
}
