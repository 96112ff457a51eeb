import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClutchError } from '../../errors.js';
import { makeDirectory } from '../../output/make_directory.js';
import { readPackage } from '../../resolve/package.js';

const CLI = fileURLToPath(new URL('../index.js', import.meta.url));
/** Milliseconds that a daemon gets to be ready. */
const START_TIMEOUT = 300_000;

/**
 * Starts the app in a process of its own and returns once every process of it is ready.
 *
 * @throws {ClutchError} ERR_CLUTCH_BOOT with the end of its stderr; no process is left then
 */
export async function startDaemon(
  baseDir: string,
  args: readonly string[],
  values: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const [out, err] = daemonLogs(baseDir);
  const stdout = path.resolve((values['stdout'] as string | undefined) ?? out);
  const stderr = path.resolve((values['stderr'] as string | undefined) ?? err);
  const child = spawn(process.execPath, [...process.execArgv, CLI, 'start', ...args], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', openLog(stdout), openLog(stderr), 'ipc'],
  });
  const address = await ready(child, Number(values['timeout'] ?? START_TIMEOUT), stderr);
  console.log(`${path.basename(baseDir)} started on ${address}, pid ${child.pid}`);
  child.disconnect();
  child.unref();
}

/** @returns the files of what a daemon prints on stdout and stderr, unless it was started with others */
export function daemonLogs(baseDir: string): [stdout: string, stderr: string] {
  const home = process.env['EGG_HOME'] || process.env['MOCK_HOME_DIR'] || homedir();
  const logs = path.join(home, 'logs', readPackage(baseDir).name ?? path.basename(baseDir));
  return [path.join(logs, 'master-stdout.log'), path.join(logs, 'master-stderr.log')];
}

/** Opens a new log; the one of the run before is kept beside it under its date. */
function openLog(file: string): number {
  makeDirectory(path.dirname(file));
  if (existsSync(file)) renameSync(file, `${file}.${dateSuffix(new Date())}`);
  return openSync(file, 'a', 0o640);
}

function dateSuffix(date: Date): string {
  const digits = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().replace(/\D/g, '');
  return `${digits.slice(0, 8)}.${digits.slice(8, 14)}`;
}

function ready(child: ChildProcess, timeout: number, stderr: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      clearTimeout(timer);
      const tail = readFileSync(stderr, 'utf8').trimEnd().split('\n').slice(-100);
      reject(new ClutchError('ERR_CLUTCH_BOOT', what, { where: tail, fix: `The whole log is in ${stderr}` }));
    };
    const timer = setTimeout(() => {
      child.off('exit', onExit);
      child.kill('SIGTERM');
      child.once('exit', () => fail(`the app was not ready within ${timeout} ms (timeout)`));
    }, timeout);
    child.once('error', (error) => fail(error.message));
    const onExit = (code: number | null): void => fail(`the app did not start (exit code ${code})`);
    child.once('exit', onExit);
    child.on('message', (message: { action?: string; data?: { address: string } }) => {
      if (message.action !== 'egg-ready') return;
      clearTimeout(timer);
      child.off('exit', onExit);
      resolve(message.data?.address ?? '');
    });
  });
}
