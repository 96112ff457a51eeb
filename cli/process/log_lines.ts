import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks at files that are followed. */
const POLL = 200;
/** A line of a log begins so; others belong to the one before. */
const TIME = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/;
/** Its lines are in the other logs as well. */
const DUPLICATES = 'common-error.log';

/** @returns the logs in a directory, without those that were rotated; only one if it is named */
export function logFiles(dir: string, name?: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir).filter((each) => each.endsWith('.log'));
  } catch {
    return [];
  }
  const wanted = name === undefined ? undefined : `${name.replace(/\.log$/, '')}.log`;
  return names
    .filter((each) => (wanted === undefined ? each !== DUPLICATES : each === wanted))
    .map((each) => path.join(dir, each));
}

/** @returns the last lines of several logs, ordered by their times */
export function lastLines(files: string[], count: number): string[] {
  const entries = files.flatMap((file) => entriesOf(readFileSync(file, 'utf8')));
  entries.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return count === 0 ? [] : entries.flatMap(({ lines }) => lines).slice(-count);
}

function entriesOf(text: string): { time: string; lines: string[] }[] {
  const entries: { time: string; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const last = entries.at(-1);
    if (TIME.test(line) || !last) entries.push({ time: line.slice(0, 23).replace('T', ' '), lines: [line] });
    else if (line !== '') last.lines.push(line);
  }
  return entries.filter(({ lines }) => lines[0] !== '');
}

/** Prints what is appended to files, also after they were rotated; never returns. */
export async function followFiles(files: string[], print: (line: string) => void): Promise<never> {
  const followed = files.map((file) => ({ file, inode: statSync(file).ino, offset: statSync(file).size, rest: '' }));
  for (;;) {
    await sleep(POLL);
    for (const each of followed) {
      const stat = statSync(each.file, { throwIfNoEntry: false });
      if (!stat) continue;
      if (stat.ino !== each.inode || stat.size < each.offset)
        Object.assign(each, { inode: stat.ino, offset: 0, rest: '' });
      if (stat.size === each.offset) continue;
      const lines = (each.rest + readFrom(each.file, each.offset, stat.size)).split('\n');
      each.offset = stat.size;
      each.rest = lines.pop() ?? '';
      for (const line of lines) print(line);
    }
  }
}

function readFrom(file: string, begin: number, end: number): string {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(end - begin);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, begin));
  } finally {
    closeSync(fd);
  }
}
