import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './apps.js';

const DIST = path.join(ROOT, 'dist');

export function builtFiles(): string[] {
  const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' });
  return files.filter((name) => name.endsWith('.js')).map((name) => path.join(DIST, name));
}

/**
 * @param source a source file, such as `cluster/master.ts`
 * @returns source files and packages whose code is loaded, statically, with the built file that holds it, sorted
 */
export function importGraph(source: string): { sources: string[]; packages: string[] } {
  const seen = new Set<string>();
  const sources = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const code = readFileSync(file, 'utf8');
    // The bundler names each source file above its code.
    for (const [, name = ''] of code.matchAll(/^\/\/ (\S+\.ts)$/gm)) sources.add(name);
    for (const [, name = ''] of code.matchAll(/^(?:import|export|\}) (?:[^'";]*?from )?"([^"]+)";$/gm)) {
      if (name.startsWith('.')) visit(path.join(path.dirname(file), name));
      else if (!name.startsWith('node:') && name !== 'path') packages.add(name);
    }
  };
  const start = builtFiles().find((file) => readFileSync(file, 'utf8').includes(`\n// ${source}\n`));
  if (!start) throw new Error(`no file in dist/ holds ${source}`);
  visit(start);
  return { sources: [...sources].sort(), packages: [...packages].sort() };
}
