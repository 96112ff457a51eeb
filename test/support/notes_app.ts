import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { CLI, until } from './apps.js';
import { scaffold } from './dev.js';

/** A new app from the template in JavaScript, in production with two workers. @returns where it is */
export async function serveTemplate(t: TestContext): Promise<string> {
  const dir = await scaffold(t, '--js');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [CLI, 'start', dir, '--port', '0', '--workers', '2'], {
    env: { ...env, EGG_HOME: path.dirname(dir), NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  return until('the app serves', () => /started on (\S+)/.exec(output)?.[1], 30_000).catch((error: Error) => {
    throw new Error(`${error.message}:\n${output}`);
  });
}
