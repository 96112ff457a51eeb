import { readFileSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST_URL = new URL('..', import.meta.url).href;
const DIST = fileURLToPath(DIST_URL);
const FILE_AND_POSITION = /^([\w./-]{1,200}\.js):(\d+):(\d+)/;

/** The source map of each built file that a stack has named; undefined where there is none. */
const maps = new Map<string, module.SourceMap | undefined>();

/**
 * Names the source files of Clutch in a stack, `core/router/router.ts:111` where Node names a built file of many modules: without
 * `--enable-source-maps`, which makes every error of a process slower. A map is read when the first stack with its file is written.
 *
 * @returns the stack with the frames of the package as Node would write them with source maps; all others as they are
 */
export function nameOwnFrames(stack: string): string {
  return [DIST_URL, DIST].reduce((text, prefix) => (text.includes(prefix) ? nameFramesOf(text, prefix) : text), stack);
}

function nameFramesOf(stack: string, prefix: string): string {
  const [before = '', ...rest] = stack.split(prefix);
  return before + rest.map((text) => sourcePosition(text) ?? prefix + text).join('');
}

/** @param text what follows the directory of the built files in a stack */
function sourcePosition(text: string): string | undefined {
  const [position, name, line, column] = FILE_AND_POSITION.exec(text) ?? [];
  if (!position || !name) return undefined;
  const file = path.join(DIST, name);
  if (!maps.has(file)) maps.set(file, readMap(`${file}.map`));
  const entry = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
  if (!entry || !('originalSource' in entry)) return undefined;
  const source = path.resolve(path.dirname(file), entry.originalSource);
  return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}${text.slice(position.length)}`;
}

function readMap(file: string): module.SourceMap | undefined {
  try {
    return new module.SourceMap(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // A stack is written as it is where the maps were left out, or no descriptor is free.
    return undefined;
  }
}
