import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from 'node:fs';
import type { ListenOptions, Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** Longest path of a unix socket that every system takes. */
const LIMIT = 100;

/**
 * @param dir where the socket belongs
 * @returns the path of a unix socket: in `dir`, or in a short directory of this user where that path would be too long;
 * on Windows the name of a pipe
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

/** @returns `dir` when sockets can be made there, else the short directory: an app may lie on a disk that cannot be written */
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
 * Has a server listen on a unix socket that only this user can open. The socket is made with the permissions it keeps:
 * there is no moment in which others may connect.
 *
 * @throws when its directory cannot be made, or is one that anyone could have made and does not belong to this user alone
 */
export function listenPrivately(server: Server, options: ListenOptions & { path: string }): void {
  if (process.platform === 'win32') {
    server.listen(options);
    return;
  }
  makeDirectory(path.dirname(options.path));
  // A thread has no mask of its own: there the permissions are set as soon as the socket is made.
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
