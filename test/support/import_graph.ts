import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './apps.js';

/** @returns files of this project and packages that a built module loads statically, sorted */
export function importGraph(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const source = readFileSync(path.join(ROOT, file), 'utf8');
    for (const [, name = ''] of source.matchAll(/^(?:import|export) (?:[^'";]*? from )?'([^']+)';$/gm)) {
      if (name.startsWith('.')) visit(path.join(path.dirname(file), name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  };
  visit(entry);
  return { files: [...files].sort(), packages: [...packages].sort() };
}
