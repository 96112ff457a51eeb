import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from 'node:fs';
import type { ListenOptions, Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** How Leader and Followers of a cluster find and authenticate each other; the Master sends it to its children. */
export interface LeaderInfo {
  /** Known to the processes of this cluster only. */
  token: string;
  /** Directory of their sockets. */
  dir: string;
  /** Pid of the Master. */
  master: number;
  /** Id of the Agent at boot; later ones come with `egg-pids`. */
  agent: number | undefined;
}

/** Longest path of a unix socket, in bytes, that every system takes. */
const LIMIT = 100;

/**
 * @param dir the directory that the socket belongs to
 * @returns the path of a unix socket: in `dir`, or in a short directory of this user when that path is too long; on Windows
 * the name of a pipe
 */
export function socketPath(dir: string, name: string): string {
  const inside = path.join(dir, `${name}.sock`);
  const { createHash } = process.getBuiltinModule('node:crypto');
  const id = createHash('sha256').update(inside).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\clutch-${id}`;
  return Buffer.byteLength(inside) <= LIMIT ? inside : path.join(shortDirectory(), `${id}.sock`);
}

function shortDirectory(): string {
  return path.join(tmpdir(), `clutch-${userInfo().uid}`);
}

/** @returns `dir` when sockets can be created there, else the short directory: the app may be on a read-only disk */
export function usableSocketDirectory(dir: string): string {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
    return dir;
  } catch {
    return shortDirectory();
  }
}

/**
 * Makes a server listen on a unix socket that only this user can open. The socket is created with its final permissions,
 * so that others can connect at no moment.
 *
 * @throws when its directory cannot be created, or is the short one and not private to this user
 */
export function listenPrivately(server: Server, options: ListenOptions & { path: string }): void {
  if (process.platform === 'win32') {
    server.listen(options);
    return;
  }
  makeDirectory(path.dirname(options.path));
  // A thread cannot set the umask: it changes the permissions as soon as the socket exists.
  const mask = isMainThread ? process.umask(0o177) : undefined;
  try {
    server.listen(options, () => chmodSync(options.path, 0o600));
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
}

function makeDirectory(dir: string): void {
  const isShort = dir === shortDirectory();
  mkdirSync(dir, { recursive: true, mode: isShort ? 0o700 : 0o755 });
  if (!isShort) return;
  const stat = lstatSync(dir);
  if (stat.isDirectory() && stat.uid === userInfo().uid && (stat.mode & 0o077) === 0) return;
  throw new Error(`${dir} belongs to another user or is open to others`);
}
