import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { temporaryDirectory, until } from './apps.js';
import { freePort } from './http.js';

/** The server's file, undefined where it is not installed. */
export const REDIS = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((file) => existsSync(file));
/** Starts a Redis of the test's own; resolves with its port. */
export async function startRedis(t: TestContext): Promise<number> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', temporaryDirectory(t)];
  const child: ChildProcess = spawn(REDIS as string, args, { stdio: 'ignore' });
  t.after(async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  await until(
    'Redis accepts',
    () =>
      new Promise<boolean>((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve(true);
        });
        socket.on('error', () => resolve(false));
      }),
  );
  return port;
}
