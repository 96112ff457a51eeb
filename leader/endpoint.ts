import { readdirSync, rmSync } from 'node:fs';
import type { ListenOptions } from 'node:net';
import path from 'node:path';
import type { LeaderInfo } from '../ipc/socket_path.js';
import { socketPath } from '../ipc/socket_path.js';

/** Where the Leader of an Agent listens. A new Agent has another place, so that it can come before the old one goes. */
export function leaderAddress({ dir, master }: LeaderInfo, agent: string, tcpPort?: number): ListenOptions {
  if (tcpPort !== undefined) return { host: '127.0.0.1', port: tcpPort };
  return { path: socketPath(dir, `leader-${master}-${agent}`) };
}

/** Removes the sockets of Agents that were killed. */
export function removeStaleSockets({ dir }: LeaderInfo): void {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return;
  }
  for (const name of names) {
    const [, master, agent] = /^leader-(\d+)-(\d+)\.sock$/.exec(name) ?? [];
    if (master && agent && !(isAlive(Number(master)) && isAlive(Number(agent))))
      rmSync(path.join(dir, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
