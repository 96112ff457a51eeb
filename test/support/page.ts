import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './apps.js';
import type { Files } from './loaded_app.js';

/** @returns the files of the app that a page of docs/ builds: the blocks whose first line names a file */
export function filesOf(page: string): Files {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  const blocks = text.matchAll(/^```\w+\n(?:\/\/|#) (\S+\.\w+)\n([\s\S]*?)^```$/gm);
  return Object.fromEntries([...blocks].map(([, file, code]) => [file as string, code as string]));
}
