import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { ROOT } from './apps.js';
import type { Files } from './loaded_app.js';

export interface Block {
  /** As the fence says: `js`, `ts`, `sh`; `''` for one without. */
  language: string;
  /** What the first line names, if it names a file. */
  file?: string;
  /** Without the line that names the file. */
  code: string;
}

/** @returns the pages of docs/, relative to the repository; the API reference is written by `npm run docs:build` */
export function docsPages(): string[] {
  return readdirSync(path.join(ROOT, 'docs'), { recursive: true })
    .map((name) => path.posix.join('docs', String(name).replaceAll(path.sep, '/')))
    .filter((page) => page.endsWith('.md') && !page.startsWith('docs/api/'))
    .sort();
}

/** @returns the fenced blocks of a page */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  const blocks = text.matchAll(/^```(\w*)\n(?:(?:\/\/|#) (\S+\.\w+)\n)?([\s\S]*?)^```$/gm);
  return [...blocks].map(([, language = '', file, code = '']) => ({ language, code, ...(file ? { file } : {}) }));
}

/** @returns the files of the app that a page builds: the blocks whose first line names a file */
export function filesOf(page: string): Files {
  const named = blocksOf(page).filter((block): block is Required<Block> => block.file !== undefined);
  return Object.fromEntries(named.map(({ file, code }) => [file, code]));
}

/** @returns files of a TypeScript app as JavaScript */
export function compiled(files: Files): Files {
  const entries = Object.entries(files).map(([name, code]) =>
    name.endsWith('.ts') ? [name.replace(/\.ts$/, '.js'), javaScriptOf(code)] : [name, code],
  );
  return Object.fromEntries(entries);
}

function javaScriptOf(code: string): string {
  return transformSync(code, { loader: 'ts' }).code.replaceAll(/(?<=from "\.[^"]+)\.ts(?=")/g, '.js');
}
