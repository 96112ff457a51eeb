import type { TestContext } from 'node:test';
import { fixture, type RunningCluster, startTestCluster, until } from './apps.js';

interface Outcome {
  value?: unknown;
  error?: { name: string; message: string; code?: string; stack: string };
}

export interface Talk extends RunningCluster {
  agent: number;
  workers: [number, number];
  /** Has a process call a method of its messenger. */
  tell(pid: number, method: string, ...args: unknown[]): Promise<Outcome>;
  /** What the processes have been told by `note`, as pid and data. */
  seen(data: unknown): number[];
}

/** A cluster whose processes call their messengers as the test tells them, and tell what they get. */
export async function startTalk(t: TestContext, env: NodeJS.ProcessEnv = {}, options: object = {}): Promise<Talk> {
  const cluster = await startTestCluster(t, { baseDir: fixture('talk'), ...options }, env);
  const { agent, workers } = await cluster.pids();
  const told = (action: string) =>
    cluster.messages
      .filter((message) => message.action === action)
      .map(({ data }) => data as { pid: number; data: unknown });
  let calls = 0;
  return {
    ...cluster,
    agent: agent as number,
    workers: workers as [number, number],
    seen: (data) =>
      told('seen')
        .filter((each) => each.data === data)
        .map(({ pid }) => pid),
    async tell(pid, method, ...args) {
      calls += 1;
      const id = calls;
      for (const to of ['app', 'agent']) cluster.child.send({ action: 'do', to, data: { pid, method, args, id } });
      const { data } = await until(
        `${method} is done`,
        () => told('done').find((each) => (each.data as { id: number }).id === id),
        20_000,
      );
      return data as Outcome;
    },
  };
}
