import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface Position {
  file: string;
  line: number;
  column: number;
}

/** Longest line that is shown whole. */
const WIDTH = 110;

/** @returns a file as a reader in the current directory names it */
export function displayPath(file: string): string {
  const relative = path.relative('', file);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

export function displayPosition({ file, line, column }: Position): string {
  return `${displayPath(file)}:${line}:${column}`;
}

/**
 * @param text the file, where it is not on disk as it was
 * @returns the line at fault with the one before it and a caret below; empty if the file cannot be read
 */
export function codeFrame({ file, line, column }: Position, text = read(file)): string[] {
  const lines = text.split(/\r?\n/);
  const source = lines[line - 1];
  // Of a minified file, a line says nothing.
  if (source === undefined || source.length > 500) return [];
  const width = String(line).length;
  const before = lines[line - 2];
  const numbered = (marker: string, number: number, code: string): string =>
    `${marker} ${String(number).padStart(width)} | ${code.replaceAll('\t', ' ').slice(0, WIDTH)}`.trimEnd();
  const frame = [numbered('>', line, source)];
  if (before !== undefined && before.trim() !== '') frame.unshift(numbered(' ', line - 1, before));
  if (column <= WIDTH) frame.push(`  ${' '.repeat(width)} | ${' '.repeat(Math.max(0, column - 1))}^`);
  return frame;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
