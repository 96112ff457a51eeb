import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { CLI, fixture, ROOT, temporaryDirectory, until } from './apps.js';

const run = promisify(execFile);

/** Scaffolds an app from the template and gives it this checkout's packages in place of `npm install`. */
export async function scaffold(t: TestContext, ...flags: string[]): Promise<string> {
  const dir = path.join(temporaryDirectory(t), 'my-app');
  await run(process.execPath, [CLI, 'init', dir, ...flags]);
  linkDependencies(dir);
  return dir;
}

/** Gives an app this checkout's packages in place of `npm install`. */
export function linkDependencies(dir: string): void {
  const { dependencies, optionalDependencies, devDependencies } = readPackage(dir);
  linkPackages(dir, Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }));
}

/** Copies a smaller app than the template: one page of JSON, one service, one middleware. */
export async function helloApp(t: TestContext, language: 'js' | 'ts'): Promise<string> {
  const dir = path.join(temporaryDirectory(t), 'my-app');
  cpSync(fixture(`hello-${language}`), dir, { recursive: true });
  linkPackages(dir, ['koa-clutch', '@types/node', 'tsx', 'typescript']);
  if (language === 'ts') await run(process.execPath, [CLI, 'types', dir]);
  return dir;
}

type Dependencies = Partial<
  Record<'dependencies' | 'optionalDependencies' | 'devDependencies', Record<string, string>>
>;

function readPackage(dir: string): Dependencies {
  return JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as Dependencies;
}

function linkPackages(dir: string, names: string[]): void {
  for (const name of names) {
    const link = path.join(dir, 'node_modules', name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(name === 'koa-clutch' ? ROOT : path.join(ROOT, 'node_modules', name), link, 'dir');
  }
}

export interface Dev {
  child: ChildProcess;
  /** All that was printed so far. */
  output(): string;
  /** Waits until something is printed. */
  printed(text: string | RegExp): Promise<string>;
  /** Ends it, and gives its exit code. */
  stop(): Promise<number | null>;
}

/** Runs `clutch dev` without waiting until it serves. */
export function runDev(t: TestContext, dir: string, flags = ['--port', '0'], env: NodeJS.ProcessEnv = {}): Dev {
  let output = '';
  const child = spawn(process.execPath, [CLI, 'dev', dir, ...flags], {
    cwd: dir,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  const stop = async (): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill('SIGTERM');
    await once(child, 'exit');
    return child.exitCode;
  };
  t.after(stop);
  const printed = (text: string | RegExp): Promise<string> =>
    until(
      `clutch dev prints ${text}`,
      () => {
        if (typeof text === 'string' ? output.includes(text) : text.test(output)) return output;
        assert.equal(child.exitCode, null, output);
        return undefined;
      },
      30_000,
    ).catch((error: Error) => assert.fail(`${error.message}:\n${output}`));
  return { child, output: () => output, printed, stop };
}

/** Runs `clutch dev` until it serves. */
export async function startDev(t: TestContext, dir: string, flags?: string[]): Promise<Dev & { url: string }> {
  const dev = runDev(t, dir, flags);
  const output = await dev.printed(/started on \S+ in \d+ ms/);
  return { ...dev, url: /started on (\S+)/.exec(output)?.[1] as string };
}
