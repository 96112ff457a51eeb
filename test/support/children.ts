import assert from 'node:assert/strict';
import { isAlive, type RunningCluster } from './apps.js';

/** @returns the pids of the Agent and the app workers */
export async function childPids(cluster: RunningCluster): Promise<number[]> {
  const { agent, workers } = await cluster.pids();
  return [agent as number, ...workers];
}

export function assertGone(pids: number[]): void {
  assert.deepEqual(pids.filter(isAlive), []);
}

/** @returns when each process of a kind has run its close hook, as fixture `faulty` prints it */
export function closings(output: string, kind: 'app' | 'agent'): number[] {
  return [...output.matchAll(new RegExp(`${kind} closed (\\d+)`, 'g'))].map(([, at]) => Number(at));
}
