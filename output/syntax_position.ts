import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Position } from './code_frame.js';

/** What Node and its TypeScript loader write above a syntax error: `file:line`, that line, with those before it or not, and a caret. */
const ARROW = /^((?:file:\/\/)?(?:\/|\w:[\\/])[^\n]*?):(\d+)\n(?:[^\n]*\n){1,4}?( *)\^/m;
/** What esbuild, and so tsx, writes: `file:line:column: ERROR: text`. */
const ESBUILD = /^((?:\/|\w:[\\/])[^\n]*?):(\d+):(\d+): ERROR: /m;
const MISSING_EXPORT = /The requested module '([^']+)' does not provide an export named '([^']+)'/;
/** Milliseconds that Node gets to find a syntax error once more. */
const LIMIT = 3000;

/**
 * Finds where a syntax error is. Node keeps the place of one in an ES module to itself until an error ends a process, so it is
 * asked once more, in a process of its own: linking fails before anything runs.
 *
 * @param file the one that was loaded; the error may be in one that it imports
 */
export function syntaxPosition({ message, stack = '' }: Error, file: string | undefined): Position | undefined {
  const [, esbuildFile, line, column] = ESBUILD.exec(message) ?? [];
  if (esbuildFile) return { file: esbuildFile, line: Number(line), column: Number(column) + 1 };
  const arrow = arrowIn(stack);
  if (arrow || file === undefined) return arrow;
  const [, specifier = '', name = ''] = MISSING_EXPORT.exec(message) ?? [];
  if (specifier !== '') return importPosition(file, specifier, name);
  // Thrown by JSON.parse and its like, not by Node while it links modules.
  if (!/^.*\n\s+at .*node:internal\/modules\//.test(stack.slice(stack.indexOf(message)))) return undefined;
  const { stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', `await import(${JSON.stringify(pathToFileURL(file).href)})`],
    { encoding: 'utf8', timeout: LIMIT, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return arrowIn(stderr ?? '');
}

function arrowIn(text: string): Position | undefined {
  const [, location, line, indent] = ARROW.exec(text) ?? [];
  if (location === undefined) return undefined;
  const file = location.startsWith('file://') ? fileURLToPath(location) : location;
  return { file, line: Number(line), column: (indent?.length ?? 0) + 1 };
}

/** What Node writes when a module imports another that is not there; CommonJS lists who has required it. */
const MISSING_MODULE = /Cannot find (?:package|module) '([^']+)'(?: imported from (\S+)|\nRequire stack:\n- (\S+))/;
const SPECIFIER = /\b(?:from|import|require)\s*\(?\s*['"]([^'"\n]+)['"]/g;

/** @returns where a module is imported that cannot be found, if that is what the error is about */
export function missingImportPosition({ message }: Error): Position | undefined {
  const [, name = '', imported, required] = MISSING_MODULE.exec(message) ?? [];
  const importer = imported ?? required;
  if (importer === undefined) return undefined;
  const file = importer.startsWith('file://') ? fileURLToPath(importer) : importer;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const isName = (specifier: string): boolean =>
    specifier === name || specifier.startsWith(`${name}/`) || path.resolve(path.dirname(file), specifier) === name;
  for (const match of text.matchAll(SPECIFIER)) {
    if (isName(match[1] as string))
      return { file, ...lineAndColumn(text, match.index + match[0].length - (match[1] as string).length - 2) };
  }
  return undefined;
}

function lineAndColumn(text: string, index: number): { line: number; column: number } {
  const lines = text.slice(0, index).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** @returns the place of an imported name in the statement that imports it */
function importPosition(file: string, specifier: string, name: string): Position | undefined {
  const text = readFileSync(file, 'utf8');
  const end = text.search(new RegExp(`from\\s*['"]${escaped(specifier)}['"]`));
  const index = text.lastIndexOf(name, end);
  if (end < 0 || index < 0) return undefined;
  return { file, ...lineAndColumn(text, index) };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
