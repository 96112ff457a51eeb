// What makes the published files small: source maps that hold lines only, and only the declarations that a user's compiler reads.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { decode, encode } from '@jridgewell/sourcemap-codec';
import { globbySync } from 'globby';

/**
 * Keeps one segment for each source line, a quarter of what esbuild writes: a stack leads to the line of the source, and to the column
 * of the first token on it.
 *
 * @param {string} text a source map, as JSON
 * @returns {string} the shorter map, as JSON
 */
export function shortenMap(text) {
  const map = JSON.parse(text);
  const lines = decode(map.mappings).map((segments) => {
    let last = [];
    return segments.filter((segment) => {
      if (segment[1] === last[1] && segment[2] === last[2]) return false;
      last = segment;
      return true;
    });
  });
  return JSON.stringify({
    ...map,
    names: [],
    mappings: encode(lines.map((line) => line.map((each) => each.slice(0, 4)))),
  });
}

/**
 * Deletes the declarations that no public entry reaches.
 *
 * @param {string} dist directory of the built files
 * @param {string[]} entries declarations of the public entries, absolute
 */
export function pruneDeclarations(dist, entries) {
  const reached = new Set();
  const queue = [...entries];
  for (let file = queue.pop(); file; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(
      /(?:\bfrom |\bimport |\bimport\()["'](\.[^"']+)["']/g,
    )) {
      const declaration = path.resolve(path.dirname(file), target.replace(/\.js$/, '.d.ts'));
      if (!existsSync(declaration)) throw new Error(`${file} imports ${target}, which has no declaration`);
      queue.push(declaration);
    }
  }
  const all = globbySync('**/*.d.ts', { cwd: dist, absolute: true });
  for (const file of all.filter((each) => !reached.has(path.normalize(each)))) rmSync(file);
}
