// Runs the compiled tests: all of them, or those whose path holds one of the given words, such as `cli/dev` or `test/cli/dev.test.ts`.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import './link_fixtures.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = path.join(root, '.test/test');
const all = readdirSync(compiled, { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .map((file) => path.join('test', file))
  .sort();
// As the paths of the sources are written.
const words = process.argv.slice(2).map((word) => path.normalize(word).replace(/\.ts$/, '.js'));
const unknown = words.filter((word) => !all.some((file) => file.includes(word)));
if (unknown.length > 0) {
  console.error(`no test file matches ${unknown.join(' ')}`);
  process.exit(1);
}
const files = all
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .map((file) => path.join(compiled, '..', file));
const args = [
  '--enable-source-maps',
  '--test',
  '--test-concurrency=2',
  '--test-timeout=240000',
  '--test-reporter=spec',
  ...files,
];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
