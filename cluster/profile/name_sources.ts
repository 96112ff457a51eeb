import { readFileSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What V8 records of the CPU, as far as it is read here. */
export interface RecordedProfile {
  nodes: {
    callFrame: { url: string; lineNumber: number; columnNumber: number };
    /** Lines of the file that ran. */
    positionTicks?: unknown;
  }[];
}

const OWN = new URL('../..', import.meta.url).href;

/**
 * Puts the places in the sources into a profile, in place of those in compiled code: only the process that runs has the source maps of
 * what it has compiled itself. Files of Clutch stay as they are.
 */
export function nameSources({ nodes }: RecordedProfile): void {
  const maps = new Map<string, module.SourceMap | undefined>();
  for (const node of nodes) {
    const { url, lineNumber, columnNumber } = node.callFrame;
    const file = fileOf(url);
    if (file === undefined) continue;
    if (!maps.has(url)) maps.set(url, module.findSourceMap(url) ?? mapBeside(file));
    const entry = maps.get(url)?.findEntry(lineNumber, columnNumber);
    if (!entry || !('originalSource' in entry)) continue;
    const { originalSource: source, originalLine, originalColumn } = entry;
    node.callFrame.url = source.startsWith('file:') ? source : path.resolve(path.dirname(file), source);
    node.callFrame.lineNumber = originalLine;
    node.callFrame.columnNumber = originalColumn;
    delete node.positionTicks;
  }
}

/** @returns undefined for code of Node and of Clutch, and code without a file */
function fileOf(url: string): string | undefined {
  if (url.startsWith(OWN)) return undefined;
  if (url.startsWith('file:')) return fileURLToPath(url);
  return path.isAbsolute(url) && !url.startsWith(fileURLToPath(OWN)) ? url : undefined;
}

/** Node itself reads maps only with `--enable-source-maps`. */
function mapBeside(file: string): module.SourceMap | undefined {
  try {
    return new module.SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  } catch {
    // It was not compiled, or its map was left out.
    return undefined;
  }
}
