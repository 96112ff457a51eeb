import { statSync } from 'node:fs';
import path from 'node:path';

export interface Template {
  file: string;
  /** The directory in which it was found. */
  root: string;
}

/** @returns undefined if no directory has a template of this name, which may lack the extension, or it lies outside of them */
export function findTemplate(roots: readonly string[], name: string, extension: string): Template | undefined {
  if (name.includes('\0')) return undefined;
  for (const root of roots) {
    for (const candidate of [name, name + extension]) {
      const file = path.join(root, candidate);
      if (isInside(file, root) && statSync(file, { throwIfNoEntry: false })?.isFile()) return { file, root };
    }
  }
  return undefined;
}

export function isInside(file: string, root: string): boolean {
  return file.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}
