import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { rotatedFile } from './log_files.js';
import type { LogFilter } from './log_filter.js';
import { beginsEntry, type LogEntry, parseEntry } from './log_line.js';
import { Duplicates, mergeEntries } from './merge_entries.js';

/** Bytes that are read at a time. */
const BLOCK = 256 * 1024;
/** Bytes without the begin of an entry, after which a line begins one: memory stays bounded whatever the file holds. */
const LONGEST_ENTRY = 4 * 1024 * 1024;
const LINE_FEED = 10;

/** Up to where a log was read. */
export interface LogPosition {
  file: string;
  inode: number;
  offset: number;
}

export interface ReadOptions {
  /** How many entries. */
  count: number;
  filter?: LogFilter;
  /** Bytes of each log in which they are searched; default all, and those of the file that the log was renamed to last. */
  limit?: number;
}

/**
 * Reads the last entries of several logs.
 *
 * @returns them in the order of their times, and where a follower goes on
 */
export async function readLogs(
  files: readonly string[],
  { count, filter = () => true, limit = Number.POSITIVE_INFINITY }: ReadOptions,
): Promise<{ entries: LogEntry[]; positions: LogPosition[] }> {
  const found: LogEntry[] = [];
  const positions: LogPosition[] = [];
  for (const file of files) {
    const read = await readLast(file, { count, filter, limit });
    if (!read) continue;
    positions.push(read.position);
    const missing = count - read.entries.length;
    const before = missing > 0 && limit > read.position.offset ? rotatedFile(file) : undefined;
    const rest = { count: missing, filter, limit: limit - read.position.offset, log: path.basename(file) };
    if (before) found.push(...((await readLast(before, rest))?.entries ?? []));
    found.push(...read.entries);
  }
  const merged = mergeEntries(found, new Duplicates());
  return { entries: count === 0 ? [] : merged.slice(-count), positions };
}

interface Wanted extends Required<ReadOptions> {
  /** Default: the file's name. */
  log?: string;
}

/** @returns undefined when the file is gone or may not be read */
async function readLast(
  file: string,
  { log = path.basename(file), ...wanted }: Wanted,
): Promise<{ entries: LogEntry[]; position: LogPosition } | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch {
    return undefined;
  }
  try {
    const { ino: inode, size, mtimeMs } = await handle.stat();
    const entries = await readBackwards(handle, { size, log, modified: mtimeMs }, wanted);
    return { entries, position: { file, inode, offset: size } };
  } finally {
    await handle.close();
  }
}

async function readBackwards(
  handle: FileHandle,
  { size, log, modified }: { size: number; log: string; modified: number },
  { count, filter, limit }: Required<ReadOptions>,
): Promise<LogEntry[]> {
  const least = Math.max(0, size - limit);
  let position = size;
  let rest: Buffer = Buffer.alloc(0);
  let later = modified;
  const found: LogEntry[] = [];
  while (position > least && found.length < count) {
    const length = Math.min(BLOCK, position - least);
    position -= length;
    const block = Buffer.alloc(length);
    const { bytesRead } = await handle.read(block, 0, length, position);
    const bytes = Buffer.concat([block.subarray(0, bytesRead), rest]);
    const isFirst = position === 0;
    const begin = firstEntry(bytes, isFirst || bytes.length > LONGEST_ENTRY, isFirst);
    if (begin === undefined) {
      rest = bytes;
      continue;
    }
    rest = bytes.subarray(0, begin);
    const entries = parseEntries(bytes.toString('utf8', begin), log, later);
    later = entries[0]?.time ?? later;
    found.unshift(...entries.filter(filter));
  }
  return count === 0 ? [] : found.slice(-count);
}

/**
 * @param takesAny whether the first line begins an entry, whatever it is
 * @param isWhole whether the bytes begin with a whole line
 * @returns where the first entry begins; undefined when there is none
 */
function firstEntry(bytes: Buffer, takesAny: boolean, isWhole: boolean): number | undefined {
  let begin = isWhole ? 0 : bytes.indexOf(LINE_FEED) + 1;
  if (begin === 0 && !isWhole) return undefined;
  if (takesAny) return begin;
  while (begin < bytes.length) {
    const end = bytes.indexOf(LINE_FEED, begin);
    if (beginsEntry(bytes.toString('utf8', begin, end === -1 ? bytes.length : end))) return begin;
    if (end === -1) return undefined;
    begin = end + 1;
  }
  return undefined;
}

/** Lines before the first that has a time are entries of their own. */
function parseEntries(text: string, log: string, fallback: number): LogEntry[] {
  const groups = groupLines(text.split('\n'));
  const timed = groups.find(([first = '']) => beginsEntry(first));
  const time = timed ? parseEntry(timed, log, fallback).time : fallback;
  return groups.map((lines) => parseEntry(lines, log, time));
}

/** @returns the lines of each entry */
function groupLines(lines: readonly string[]): string[][] {
  const groups: string[][] = [];
  let isTimed = false;
  for (const line of lines) {
    const begins = beginsEntry(line);
    if (begins || !isTimed) {
      if (line !== '') groups.push([line]);
    } else groups.at(-1)?.push(line);
    isTimed ||= begins;
  }
  return groups;
}
