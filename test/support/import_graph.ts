import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './apps.js';

const DIST = path.join(ROOT, 'dist');

/** As the bundler writes it: at the begin of the file or of a line, or after another statement. */
const STATIC_IMPORT = /(?:^|[;\n}])(?:import|export)\b[^"'();=]*?"([^"]+)"/g;

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
    for (const name of sourcesOf(file)) sources.add(name);
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
      if (name.startsWith('.')) visit(path.join(path.dirname(file), name));
      else if (!name.startsWith('node:') && name !== 'path') packages.add(name);
    }
  };
  const start = builtFiles().find((file) => sourcesOf(file).includes(source));
  if (!start) throw new Error(`no file in dist/ holds ${source}`);
  visit(start);
  return { sources: [...sources].sort(), packages: [...packages].sort() };
}

/** @returns the source files whose code a built file holds, as its map tells */
function sourcesOf(file: string): string[] {
  if (!existsSync(`${file}.map`)) return [];
  const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] };
  return sources
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.relative(ROOT, path.resolve(path.dirname(file), name)));
}
