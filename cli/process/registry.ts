import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isAlive } from './running.js';

/** What is kept of an app that `clutch start` runs, so that other commands find it and can start it again. */
export interface RunningApp {
  pid: number;
  directory: string;
  /** What was typed after `clutch start`, and where. */
  args: readonly string[];
  cwd: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
}

/** Of this user, for all apps of the machine. */
function registryDir(): string {
  const home = process.env['EGG_HOME'] || process.env['MOCK_HOME_DIR'];
  const state = process.env['XDG_STATE_HOME'] ?? path.join(homedir(), '.local/state');
  return path.join(home ?? state, 'clutch/apps');
}

/** Remembers the app of this Master until the process ends. The app runs without it, too: errors do not stop a start. */
export function register(app: Omit<RunningApp, 'pid' | 'startedAt'>): void {
  const file = path.join(registryDir(), `${process.pid}.json`);
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, JSON.stringify({ ...app, pid: process.pid, startedAt: Date.now() }), { mode: 0o600 });
  } catch (error) {
    console.warn(`\`clutch list\` will not show this app: ${(error as Error).message}`);
    return;
  }
  process.once('exit', () => rmSync(file, { force: true }));
}

/** @returns apps whose Master is alive; what others have left is removed */
export function runningApps(): RunningApp[] {
  const dir = registryDir();
  return listed(dir).flatMap((name) => {
    const file = path.join(dir, name);
    const app = parse(file);
    if (app && isAlive(app.pid)) return [app];
    rmSync(file, { force: true });
    return [];
  });
}

function listed(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => /^\d+\.json$/.test(name));
  } catch {
    return [];
  }
}

function parse(file: string): RunningApp | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunningApp;
  } catch {
    return undefined;
  }
}
