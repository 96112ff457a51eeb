import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

export interface ScriptResult {
  /** Exit code; null when the test has ended the process. */
  code: number | null;
  /** What was printed, in its order. */
  output: string;
  stdout: string;
  stderr: string;
}

/** Runs the text of an ES module in an app's directory, as `node script.mjs` would. */
export async function runScript(
  t: TestContext,
  baseDir: string,
  script: string,
  env: NodeJS.ProcessEnv = {},
): Promise<ScriptResult> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: baseDir,
    env: { ...process.env, EGG_HOME: baseDir, EGG_SERVER_ENV: 'prod', NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { output: '', stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      printed.output += String(chunk);
      printed[name] += String(chunk);
    });
  }
  t.after(() => {
    if (child.exitCode === null) child.kill('SIGKILL');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...printed };
}
