import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const page = readFileSync('docs/differences.md', 'utf8');
const conformance = readdirSync('test/conformance').filter((file) => file.endsWith('.test.ts'));
const sources = conformance.map((file) => readFileSync(path.join('test/conformance', file), 'utf8')).join('\n');
const rows = readFileSync('test/conformance/rows.txt', 'utf8').trim().split('\n');
const MARK = ' (differs)';

/** The ids of tests in the last cells of the first table, by row. */
const named = (page.split('\n## ')[1] as string)
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => [...(line.split(' | ').at(-1) as string).matchAll(/`([^`]+)`/g)].map(([, id]) => id as string));

test('fewer than 15 rows of conventions are not followed', () => {
  assert.ok(named.length > 0 && named.length < 15, String(named.length));
});

test('each of them names conformance tests that exist', () => {
  for (const ids of named) {
    assert.ok(ids.length > 0);
    for (const id of ids) {
      assert.ok(
        rows.some((row) => row.startsWith(`${id} `)),
        `${id} is no row`,
      );
      const [, section, name] = /^(\w+ \d+(?:\.\d+)?)(?:\.?(\w*))$/.exec(id) as unknown as string[];
      // Some tests are named from a table, whose cells hold the end of the id.
      assert.ok(
        sources.includes(`${id} `) || sources.includes(`'${name}'`) || sources.includes(`${section}.\${`),
        `${id} has no test`,
      );
    }
  }
});

test('rows.txt marks exactly the rows that are named', () => {
  const marked = rows.filter((row) => row.endsWith(MARK)).map((row) => row.split(' ').slice(0, 2).join(' '));
  assert.deepEqual(marked.sort(), named.flat().sort());
});
