import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, ROOT } from '../support/apps.js';

const page = readFileSync(path.join(ROOT, 'docs/ipc.md'), 'utf8');

test('docs/ipc.md: the plugin is the one that the tests of the cluster run', () => {
  const [, example] = /^```js\n\/\/ plugin\/registry\.js\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const tested = readFileSync(path.join(fixture('shared'), 'plugin/registry.js'), 'utf8');
  assert.equal(tested.replace(/^\/\/.*\n/, ''), example);
  // The wrapping itself, without the client.
  const wrapping = (example as string)
    .slice((example as string).indexOf('module.exports'))
    .trimEnd()
    .split('\n');
  assert.ok(wrapping.length < 20);
});

test('docs/ipc.md: each weakness has a row and a test of its name', () => {
  const sources = ['messenger', 'leader']
    .map((name) => readFileSync(path.join(ROOT, `test/cluster/${name}.test.ts`), 'utf8'))
    .join('\n');
  for (const number of [10, 11, 12, 25]) {
    assert.match(page, new RegExp(`^\\| W${number} +\\|`, 'm'));
    assert.match(sources, new RegExp(`test\\('(?:W\\d+, )*W${number}[,:]`));
  }
});
