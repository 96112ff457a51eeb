import { createReadStream, createWriteStream, existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Ends the name of a compressed log that is not complete. */
const PARTIAL = '.gz.tmp';

/** A log that was rotated by day or hour, and is not compressed. */
const ROTATED = /\.log\.\d{4}-\d\d-\d\d(?:[^\d.][^.]*)?$/;

/**
 * Replaces a rotated log by `<file>.gz`, which appears under that name only when it is complete.
 *
 * @returns false if the file is gone, or was written to meanwhile: it is then left as it is
 * @throws if `<file>.gz` is there already, and the errors of the file system
 */
export async function compressLog(file: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  const target = `${file}.gz`;
  if (existsSync(target)) throw new Error(`${target} exists already`);
  const before = await fs.stat(file);
  const partial = `${file}${PARTIAL}`;
  try {
    await fs.rm(partial, { force: true });
    const output = createWriteStream(partial, { flags: 'wx', mode: before.mode & 0o777, flush: true });
    await pipeline(createReadStream(file), createGzip(), output);
    await fs.utimes(partial, before.atime, before.mtime);
    const { ino, size, mtimeMs } = await fs.stat(file);
    if (ino !== before.ino || size !== before.size || mtimeMs !== before.mtimeMs) return false;
    await fs.rename(partial, target);
  } finally {
    await fs.rm(partial, { force: true });
  }
  await fs.unlink(file);
  return true;
}

/** Removes what a crash has left half compressed. @returns rotated logs of the directory that are not compressed */
export async function uncompressedLogs(dir: string): Promise<string[]> {
  if (!existsSync(dir)) return [];
  const names = await fs.readdir(dir);
  for (const name of names) {
    if (name.endsWith(PARTIAL)) await fs.rm(path.join(dir, name), { force: true });
  }
  // One whose compressed file is there was to be removed when the Agent died.
  const all = new Set(names);
  for (const name of names) {
    if (ROTATED.test(name) && all.has(`${name}.gz`)) await removeIfSame(path.join(dir, name));
  }
  return names.filter((name) => ROTATED.test(name) && !all.has(`${name}.gz`)).map((name) => path.join(dir, name));
}

/**
 * Finds what a rotation by size has left uncompressed, and removes a log whose compressed file is complete.
 *
 * @param file the log that is written
 * @param minAge milliseconds since the last line: younger ones may still be written to
 * @returns `<file>.1` and so on
 */
export async function uncompressedNumbers(file: string, maxFiles: number, minAge: number): Promise<string[]> {
  const found: string[] = [];
  for (let number = 1; number <= maxFiles; number += 1) {
    const numbered = `${file}.${number}`;
    if (existsSync(numbered) && existsSync(`${numbered}.gz`)) await removeIfSame(numbered);
    if (existsSync(numbered) && Date.now() - (await fs.stat(numbered)).mtimeMs >= minAge) found.push(numbered);
  }
  return found;
}

/** The compressed file has the time of the log that it was made from. */
async function removeIfSame(file: string): Promise<void> {
  const [log, compressed] = await Promise.all([fs.stat(file), fs.stat(`${file}.gz`)]);
  if (Math.abs(log.mtimeMs - compressed.mtimeMs) < 2) await fs.unlink(file);
}
