import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, rmdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { FilePart, Parts, SavedFile } from '../lib/types.js';

/** Milliseconds after which a file is nobody's any more. */
const STALE_AGE = 24 * 60 * 60 * 1000;

// A directory may be shared by containers, whose processes have the same pids.
const HOST = createHash('sha256').update(os.hostname()).digest('hex').slice(0, 8);

interface Form {
  body: Record<string, string | string[]>;
  files: SavedFile[];
}

/**
 * Saves the files of a request below `tmpdir`.
 *
 * @param form gets each field and file at once, so that the caller can remove files if a later part fails
 */
export async function saveParts(parts: Parts, tmpdir: string, allowArrayField: boolean, form: Form): Promise<void> {
  for await (const part of parts) {
    if (Array.isArray(part)) addField(form.body, part[0], part[1], allowArrayField);
    else await saveFile(part, tmpdir, form);
  }
}

function addField(body: Form['body'], name: string, value: string, allowArrayField: boolean): void {
  const before = body[name];
  if (!allowArrayField || before === undefined) body[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else body[name] = [before, value];
}

async function saveFile(part: FilePart, tmpdir: string, { files }: Form): Promise<void> {
  const { fieldname, filename, encoding, transferEncoding, mime, mimeType } = part;
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate(), now.getHours()].map(two);
  const dir = path.join(tmpdir, ...day);
  // Of a name that a client gives, only a plain extension gets to the disk.
  const [extension = ''] = /\.\w{1,20}$/.exec(filename) ?? [];
  const filepath = path.join(dir, `${HOST}-${process.pid}-${randomUUID()}${extension}`);
  await mkdir(dir, { recursive: true });
  const file = await open(filepath, 'wx', 0o600);
  files.push({ field: fieldname, filename, encoding, mime, filepath, fieldname, transferEncoding, mimeType });
  try {
    for await (const chunk of part) await file.writeFile(chunk as Buffer);
  } finally {
    await file.close();
  }
}

/** Removes saved files; one that has been moved away is none any more. */
export async function removeFiles(files: Pick<SavedFile, 'filepath'>[]): Promise<void> {
  await Promise.all(files.map(({ filepath }) => rm(filepath, { force: true })));
}

/** Removes files that were left by processes of this machine that have gone. */
export function sweepOrphans(tmpdir: string): Promise<number> {
  return sweep(tmpdir, async (name) => {
    const [, host, pid] = /^([0-9a-f]{8})-(\d+)-/.exec(name) ?? [];
    return host === HOST && !isAlive(Number(pid));
  });
}

/** Removes files older than a day. */
export function sweepStale(tmpdir: string): Promise<number> {
  return sweep(tmpdir, async (_name, file) => {
    const { mtimeMs } = await stat(file);
    return Date.now() - mtimeMs > STALE_AGE;
  });
}

type IsLeftBehind = (name: string, file: string) => Promise<boolean>;

/** @returns how many files were removed; directories that are empty then go, too */
async function sweep(dir: string, isLeftBehind: IsLeftBehind, isRoot = true): Promise<number> {
  let removed = 0;
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) removed += await sweep(file, isLeftBehind, false);
    else if (entry.isFile() && (await isLeftBehind(entry.name, file).catch(() => false))) {
      await rm(file, { force: true });
      removed += 1;
    }
  }
  // It fails where something is left, or has just come.
  if (!isRoot) await rmdir(dir).catch(() => undefined);
  return removed;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
