import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, ROOT, startTestCluster, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

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
  for await (const { id } of messenger.stream('agent', 'user.export', { since: 3 })) id.toFixed();
  messenger.onStream('user.export', async function* ({ since }, { signal }) {
    if (!signal.aborted) yield { id: since };
  });
  messenger.onRequest('free.request', (data: string, { signal }) => signal.aborted);
  await messenger.request('agent', 'free', 1, { timeout: 5, signal: AbortSignal.timeout(5) });
  // @ts-expect-error: the values have an id
  messenger.onStream('user.export', () => [{ no: 1 }]);
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

test('docs/ipc.md: the examples of requests and streams serve, and a client that leaves ends the search', async (t) => {
  const files = filesOf('docs/ipc.md');
  const begun: unknown[] = [];
  const left: unknown[] = [];
  const search = createServer((req, res) => {
    if (req.url === '/?q=never') {
      begun.push(req.url);
      res.once('close', () => left.push(req.url));
    } else res.end(JSON.stringify({ found: req.url }));
  }).listen(0);
  t.after(() => search.close());
  await once(search, 'listening');
  const { port } = search.address() as { port: number };
  const baseDir = writeApp(t, {
    'agent.js': files['agent.js'] as string,
    'app/router.js': files['app/router.js'] as string,
    'plugin/export/agent.js': files['plugin/export/agent.js'] as string,
    'plugin/export/app.js': files['plugin/export/app.js'] as string,
    'plugin/export/package.json': '{ "name": "export", "eggPlugin": { "name": "export" } }',
    'config/plugin.js': `exports.export = { enable: true, path: require('node:path').join(__dirname, '../plugin/export') };`,
    'config/config.default.js': `exports.keys = 'k'; exports.search = 'http://127.0.0.1:${port}/';`,
  });
  for (const workers of [1, 0]) {
    const cluster = await startTestCluster(t, { baseDir, workers });
    assert.equal((await request(`${cluster.url}/users/7`)).body, '{"id":7,"name":"user 7"}');
    assert.match((await request(`${cluster.url}/search?q=ada`)).body, /"found":"\/\?q=ada"/);
    const lines = (await request(`${cluster.url}/export`)).body.trimEnd().split('\n');
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [1000, '{"id":1}', '{"id":1000}']);
    const client = new AbortController();
    const never = fetch(`${cluster.url}/search?q=never`, { signal: client.signal }).catch(() => undefined);
    await until('the search has begun', () => begun.length === left.length + 1);
    client.abort();
    await never;
    await until('it was given up', () => left.length === (workers === 1 ? 1 : 2));
    await cluster.stop();
  }
});
