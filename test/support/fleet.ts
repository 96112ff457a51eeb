import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { type RunningCluster, startTestCluster, temporaryDirectory, until } from './apps.js';
import { freePort } from './http.js';
import { type Files, writeApp } from './loaded_app.js';
import { REDIS } from './redis.js';

const NATS = ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server'].find((file) =>
  existsSync(file),
);

type Kind = 'redis' | 'nats';

/** A reason to skip the tests of a server that is not installed. */
export const SKIP: Record<Kind, string | false> = {
  redis: REDIS ? false : 'redis-server is not installed',
  nats: NATS ? false : 'nats-server is not installed',
};

/** A server of the test's own; what it has kept is there again after a restart. */
export interface TestServer {
  url: string;
  /** Lets it stand still, when all of its threads do. */
  freeze(): Promise<void>;
  thaw(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** @param flags of the server, besides its port and directory */
export async function startServer(t: TestContext, kind: Kind, flags: string[] = []): Promise<TestServer> {
  const port = await freePort();
  const dir = temporaryDirectory(t);
  const [file, args] =
    kind === 'redis'
      ? [REDIS, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--dir', dir]]
      : [NATS, ['-p', String(port), '-a', '127.0.0.1', '-js', '-sd', dir]];
  let child: ChildProcess | undefined;
  const server: TestServer = {
    url: `${kind}://127.0.0.1:${port}`,
    freeze: async () => {
      child?.kill('SIGSTOP');
      await until('all threads stand still', () =>
        readdirSync(`/proc/${child?.pid}/task`).every((thread) =>
          /\) T /.test(readFileSync(`/proc/${child?.pid}/task/${thread}/stat`, 'utf8')),
        ),
      );
    },
    thaw: () => void child?.kill('SIGCONT'),
    start: async () => {
      child = spawn(file as string, [...args, ...flags], { stdio: 'ignore' });
      await until(`${kind} accepts`, () => accepts(port));
    },
    stop: async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
  t.after(() => server.stop());
  await server.start();
  return server;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

export interface TestMachine {
  name: string;
  baseDir: string;
  cluster: RunningCluster;
}

/** Starts a cluster of an app in a directory of its own, as a machine of a fleet. */
export async function startMachine(
  t: TestContext,
  name: string,
  fleet: { adapter: string; url: string; [option: string]: unknown },
  files: Files,
  options: Record<string, unknown> = {},
): Promise<TestMachine> {
  const running: { cluster?: RunningCluster } = {};
  // Before the directory is removed: hooks run in the order in which they are registered.
  t.after(() => running.cluster?.stop());
  const baseDir = writeApp(t, {
    'config/plugin.js': 'exports.fleet = true;',
    'config/config.default.js': `exports.keys = 'k';
      exports.fleet = ${JSON.stringify({ name: 'test', member: name, lease: 2000, timeout: 1000, ...fleet })};
      exports.logger = { dir: require('path').join(__dirname, '../logs') };`,
    ...files,
  });
  running.cluster = await startTestCluster(t, { baseDir, workers: 2, ...options });
  return { name, baseDir, cluster: running.cluster };
}
