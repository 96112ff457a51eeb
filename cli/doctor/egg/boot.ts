import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { toError } from '../../../errors.js';
import { readPackage } from '../../../resolve/package.js';
import { packageRoot } from '../../package_root.js';
import { typeScriptExecArgv } from '../../process/typescript.js';

/** How the boot of an app ended. */
export interface BootReport {
  error?: string;
  /** Milliseconds. */
  ms?: number;
  routes?: number;
  plugins?: number;
  warnings: string[];
}

const ENTRY = fileURLToPath(new URL('boot_process.js', import.meta.url));

/** Milliseconds after which a boot is given up. */
const BOOT_LIMIT = 60_000;

/** Boots Agent and app in one process of its own, with Clutch in the place of Egg and without listening, and closes them. */
export async function bootOnce(baseDir: string): Promise<BootReport> {
  const entry = pathToFileURL(path.join(packageRoot(), 'dist/index.js')).href;
  const named = readPackage(baseDir).egg?.framework;
  const framework = named === 'egg' ? packageRoot() : named;
  let execArgv: string[];
  try {
    execArgv = typeScriptExecArgv(baseDir);
  } catch (error) {
    return { error: toError(error).message, warnings: [] };
  }
  const child = spawn(process.execPath, [...execArgv, ENTRY, JSON.stringify({ baseDir, framework, entry })], {
    cwd: baseDir,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    timeout: BOOT_LIMIT,
    killSignal: 'SIGKILL',
  });
  const [report, output] = await Promise.all([
    text([child.stdio[3] as Readable]),
    text([child.stdout as Readable, child.stderr as Readable]),
  ]);
  if (report === '') {
    const end = output.trimEnd().split('\n').slice(-10).join('\n');
    return { error: `the process ended, or was not ready in ${BOOT_LIMIT / 1000} s\n${end}`, warnings: [] };
  }
  const parsed = JSON.parse(report) as BootReport;
  const logged = output.split('\n').filter((line) => / WARN /.test(line));
  return { ...parsed, warnings: [...parsed.warnings, ...logged] };
}

async function text(streams: Readable[]): Promise<string> {
  let all = '';
  const read = async (stream: Readable): Promise<void> => {
    for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  };
  await Promise.all(streams.map(read));
  return all;
}
