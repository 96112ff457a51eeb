import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

export interface PortHolder {
  pid: number;
  /** Of its program. */
  name: string;
  /** The whole command line. */
  command: string;
  /** The directory it runs in; empty if it may not be read. */
  cwd: string;
}

/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A';

/** @returns the process that listens on a TCP port; undefined when it cannot be found, e.g. another user's, or without /proc */
export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of entries('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of entries(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return describe(pid);
    }
  }
  return undefined;
}

function describe(pid: string): PortHolder {
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return { pid: Number(pid), name: programOf(pid), command, cwd: link(`/proc/${pid}/cwd`) };
}

function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(`/proc/net/${table}`)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix))
    .map((fields) => fields[9] as string);
}

/** The first word of the command line: Node names its main thread as it likes. */
function programOf(pid: string): string {
  const [program = ''] = read(`/proc/${pid}/cmdline`).split(/[\0 ]/);
  return path.basename(program) || read(`/proc/${pid}/comm`).trim();
}

/** Processes end while one looks, and those of others cannot be read. */
function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
