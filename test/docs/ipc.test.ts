import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, ROOT } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

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
  const sources = ['cluster', 'leader', 'framework']
    .flatMap((folder) =>
      readdirSync(path.join(ROOT, 'test', folder), { recursive: true }).map((file) =>
        path.join(ROOT, 'test', folder, String(file)),
      ),
    )
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  for (const number of [10, 11, 12, 25]) {
    assert.match(page, new RegExp(`^\\| W${number} +\\|`, 'm'));
    assert.match(sources, new RegExp(`test\\('(?:W\\d+, )*W${number}[,:]`));
  }
});

test('docs/ipc.md: declared messages and requests are checked, others are free', (t) => {
  const dir = writeApp(t, {
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2023',
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        types: [],
      },
    }),
    'package.json': '{ "name": "typed", "type": "module" }',
    'messages.ts': `import type { Application } from 'koa-clutch';
${/^```ts\n([\s\S]*?)^```$/m.exec(page)?.[1]}
export async function use({ messenger }: Application) {
  messenger.broadcast('user.changed', { id: 7 });
  messenger.on('user.changed', ({ id }) => id.toFixed());
  const user = await messenger.request('agent', 'user.load', 7);
  user.name.trim();
  messenger.onRequest('user.load', async (id) => ({ id, name: 'ada' }));
  messenger.send('free', [1]).on('free', (data: number[]) => data.length);
  // @ts-expect-error: the id is a number
  messenger.broadcast('user.changed', { id: '7' });
  // @ts-expect-error: there is no name in this message
  messenger.on('user.changed', ({ name }) => name);
  // @ts-expect-error: the data of this request is a number
  await messenger.request('agent', 'user.load', 'seven');
  // @ts-expect-error: the reply has a name
  messenger.onRequest('user.load', async (id) => ({ id }));
}
`,
  });
  symlinkSync(path.join(ROOT, 'node_modules/@types'), path.join(dir, 'node_modules/@types'), 'dir');
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc], { cwd: dir, encoding: 'utf8' });
  assert.equal(stdout, '');
  assert.equal(status, 0);
});
