import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ClutchError } from '../../errors.js';
import { resolveFramework } from '../../resolve/framework.js';
import { DEFAULT_FRAMEWORK } from '../master/start_cluster.js';

const REPL = fileURLToPath(new URL('repl_worker.js', import.meta.url));
const ENTRY = fileURLToPath(new URL('inspect_worker.js', import.meta.url));

export interface InspectOptions {
  baseDir: string;
  /** `types` writes `typings/`, with the key `check` only compares them, and runs nothing of the app. */
  topic: 'config' | 'plugins' | 'middleware' | 'routes' | 'types';
  key?: string | undefined;
  framework?: string;
  execArgv?: string[];
}

/**
 * Loads an app in a process of its own, without servers or asynchronous hooks, and reports on it.
 *
 * @throws {ClutchError} ERR_CLUTCH_BOOT when the app does not load, with its error
 */
export async function inspectApp({ execArgv = [], framework, ...question }: InspectOptions): Promise<unknown> {
  const named = question.topic === 'types' ? undefined : resolveFramework({ baseDir: question.baseDir, framework });
  const { entry } = named ?? DEFAULT_FRAMEWORK;
  const child = spawn(process.execPath, [...execArgv, ENTRY, JSON.stringify({ ...question, entry })], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, EGG_LOG: 'NONE' },
  });
  const [report, errors, code] = await Promise.all([
    text(child.stdio[3] as Readable),
    text(child.stderr as Readable),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  if (code === 0) return JSON.parse(report);
  throw new ClutchError('ERR_CLUTCH_BOOT', 'the app does not load', { where: errors.trimEnd().split('\n') });
}

/** @returns arguments of Node for a process with a prompt inside of the app, which needs a terminal or piped stdin */
export function replArguments(app: { baseDir: string; framework: string | undefined }): string[] {
  return ['--experimental-repl-await', REPL, JSON.stringify({ ...app, entry: DEFAULT_FRAMEWORK.entry })];
}

async function text(stream: Readable): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
}
