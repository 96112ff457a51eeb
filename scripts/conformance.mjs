// Runs test/conformance/, or its files whose name holds one of the given words, and prints which rows of
// test/conformance/rows.txt have no test and which fail. A test belongs to the row whose id its name begins with.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import './link_fixtures.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const rows = readFileSync(path.join(root, 'test/conformance/rows.txt'), 'utf8').trim().split('\n');
const words = process.argv.slice(2);
const directory = path.join(root, '.test/test/conformance');
const files = readdirSync(directory)
  .filter((file) => file.endsWith('.test.js') && (words.length === 0 || words.some((word) => file.includes(word))))
  .map((file) => path.join(directory, file));

/** @returns the id that a row or the name of a test begins with, such as `core 7.23` */
const idOf = (title) => /^\w+ \d+\.\w+(?:\.\w+)*/.exec(title)?.[0];

const passed = new Set();
const failed = new Map();
const stream = run({ files, concurrency: 2, timeout: 240_000 });
stream.on('test:pass', ({ name, skip }) => skip === undefined && passed.add(idOf(name)));
stream.on('test:fail', ({ name, details }) => failed.set(idOf(name) ?? name, details.error.cause ?? details.error));
for await (const _ of stream);

const known = new Set(rows.map(idOf));
const missing = rows.filter((row) => !passed.has(idOf(row)) && !failed.has(idOf(row)));
const unknown = [...passed].filter((id) => id !== undefined && !known.has(id));
const print = (title, lines) =>
  console.log([`${title}: ${lines.length}`, ...lines.map((line) => `  ${line}`)].join('\n'));
print('rows without a test', words.length === 0 ? missing : []);
print('tests of no row', unknown);
print(
  'failing',
  [...failed].map(([id, error]) => `${id}: ${String(error?.message ?? error).split('\n')[0]}`),
);
passed.delete(undefined);
console.log(`${passed.size} of ${rows.length} rows pass`);
process.exitCode = failed.size + unknown.length > 0 || (words.length === 0 && missing.length > 0) ? 1 : 0;
