import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessEntry {
  pid: number;
  parent: number;
  /** When it started, which tells it from a later process with the same pid. */
  started: string;
}

/** @returns the processes that a process has started, directly or not */
export function descendants(pid: number): ProcessEntry[] {
  if (process.platform === 'win32') return [];
  const all = listProcesses();
  const found: ProcessEntry[] = [];
  const of = (parent: number): void => {
    for (const entry of all.filter((candidate) => candidate.parent === parent)) {
      found.push(entry);
      of(entry.pid);
    }
  };
  of(pid);
  return found;
}

/** Sends SIGKILL to those that still run. */
export function killAll(entries: ProcessEntry[]): void {
  if (entries.length === 0) return;
  const now = new Map(listProcesses().map((entry) => [entry.pid, entry.started]));
  for (const { pid, started } of entries) {
    if (now.get(pid) !== started) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

function listProcesses(): ProcessEntry[] {
  return process.platform === 'linux' ? listFromProc() : listFromPs();
}

function listFromProc(): ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The second field, the name of the program in brackets, may hold spaces and brackets.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid, parent: Number(fields[1]), started: fields[19] as string }];
    } catch {
      return [];
    }
  });
}

function listFromPs(): ProcessEntry[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=', '-o', 'ppid=', '-o', 'lstart='], { encoding: 'utf8' });
  return (stdout ?? '')
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, ...started] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), started: started.join(' ') };
    });
}
