import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';

/** Longest path of a unix socket that every system takes. */
const LIMIT = 100;

/**
 * @param dir where the socket belongs
 * @returns the path of a unix socket: in `dir`, or in a short directory of this user where that path would be too long;
 * on Windows the name of a pipe
 */
export function socketPath(dir: string, name: string): string {
  const inside = path.join(dir, `${name}.sock`);
  const id = createHash('sha256').update(inside).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\clutch-${id}`;
  return Buffer.byteLength(inside) <= LIMIT ? inside : path.join(shortDirectory(), `${id}.sock`);
}

function shortDirectory(): string {
  return path.join(tmpdir(), `clutch-${userInfo().uid}`);
}

/**
 * Makes the directory for a socket.
 *
 * @throws when a directory that anyone could have made does not belong to this user alone
 */
export function makeSocketDirectory(file: string): void {
  if (process.platform === 'win32') return;
  const dir = path.dirname(file);
  const isShort = dir === shortDirectory();
  mkdirSync(dir, { recursive: true, mode: isShort ? 0o700 : 0o755 });
  if (!isShort) return;
  const stat = lstatSync(dir);
  if (stat.isDirectory() && stat.uid === userInfo().uid && (stat.mode & 0o077) === 0) return;
  throw new Error(`${dir} belongs to another user or is open to others`);
}
