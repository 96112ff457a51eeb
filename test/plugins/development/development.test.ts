import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { startTestCluster, until } from '../../support/apps.js';
import { request, startLoad } from '../../support/http.js';
import { type Files, loadApp, writeApp } from '../../support/loaded_app.js';

async function startLocal(t: TestContext, files: Files = {}, workers = 1) {
  const baseDir = writeApp(t, {
    'app/router.js': "module.exports = (app) => app.get('/', (ctx) => { ctx.body = 'one'; });",
    'agent.js': 'module.exports = () => {};',
    ...files,
  });
  const cluster = await startTestCluster(t, { baseDir, workers }, { EGG_SERVER_ENV: 'local', NODE_ENV: 'development' });
  const edit = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(baseDir, file)), { recursive: true });
    writeFileSync(path.join(baseDir, file), text);
  };
  const reloads = (): number => cluster.output().match(/ reloaded \(\d+ ms\)/g)?.length ?? 0;
  return { baseDir, cluster, edit, reloads };
}

const ROUTER = (text: string): string => `module.exports = (app) => app.get('/', (ctx) => { ctx.body = '${text}'; });`;

test('an edit replaces the app workers, once for each burst, and no request fails', async (t) => {
  const { cluster, edit, reloads } = await startLocal(t, {}, 2);
  const before = await cluster.pids();
  const load = startLoad(t, cluster.url);
  for (let i = 0; i < 5; i++) edit('app/router.js', ROUTER('two'));
  edit('app/service/new.js', 'module.exports = class {};');
  await until('the new code is served', () => reloads() === 1, 30_000);
  assert.equal((await request(cluster.url)).body, 'two');
  assert.deepEqual((await load.stop()).failed, []);
  const after = await cluster.pids();
  assert.equal(after.agent, before.agent);
  assert.ok(after.workers.every((pid) => !before.workers.includes(pid)));
  assert.equal(reloads(), 1);
});

test('an edit of agent.js, config or a schedule replaces the Agent, too', async (t) => {
  const { cluster, edit, reloads } = await startLocal(t);
  const files = ['agent.js', 'config/config.default.js', 'app/schedule/a.js'];
  for (const [index, file] of files.entries()) {
    const { agent } = await cluster.pids();
    edit(
      file,
      file.includes('schedule')
        ? "exports.schedule = { type: 'worker', interval: '1h' }; exports.task = () => 1;"
        : 'module.exports = () => ({});',
    );
    await until(`${file} is reloaded`, () => reloads() === index + 1, 30_000);
    assert.notEqual((await cluster.pids()).agent, agent, file);
  }
});

test('code that does not start leaves the old processes, and the next edit mends it', async (t) => {
  const { cluster, edit, reloads } = await startLocal(t);
  edit('app/router.js', 'this is no code');
  await until('the reload fails', () => /reload failed, the old processes stay/.test(cluster.output()), 30_000);
  assert.equal((await request(cluster.url)).body, 'one');
  edit('app/router.js', ROUTER('mended'));
  await until('it is reloaded', () => reloads() === 1, 30_000);
  assert.equal((await request(cluster.url)).body, 'mended');
});

test('views, assets, ignoreDirs and what reloadPattern leaves out are no reason', async (t) => {
  const { edit, cluster, reloads } = await startLocal(t, {
    'config/config.default.js': `
      exports.development = {
        watchDirs: ['lib'], ignoreDirs: ['app/generated'], reloadPattern: ['**', '!**/*.md'],
      };`,
    'lib/a.js': '',
  });
  for (const file of [
    'app/public/a.js',
    'app/view/a.html',
    'app/generated/a.js',
    'app/readme.md',
    'app/a.d.ts',
    'other/a.js',
  ]) {
    edit(file, '1');
  }
  // The next change is the first that counts: it is the only one that is named.
  edit('lib/a.js', '1');
  await until('it is reloaded', () => reloads() === 1, 30_000);
  const [named] = /reload worker because .*/.exec(cluster.output()) ?? [];
  assert.match(named as string, /because \S*\/lib\/a\.js changed$/);
});

test('reloadOnDebug: false turns it off, and other environments have none of it', async (t) => {
  const off = await startLocal(t, { 'config/config.default.js': 'exports.development = { reloadOnDebug: false };' });
  off.edit('app/router.js', ROUTER('two'));
  const app = loadApp(t, {}, { env: 'prod' });
  assert.equal(app.plugins['development'], undefined);
  assert.ok(loadApp(t, {}, { env: 'local' }).plugins['development']);
  await off.cluster.reload();
  assert.equal(off.reloads(), 1);
});

test('fastReady: an app is ready before its hooks have ended', async (t) => {
  const app = loadApp(
    t,
    {
      'config/config.default.js': 'exports.development = { fastReady: true };',
      'app.js': 'module.exports = class { async didLoad() { await new Promise(() => {}); } };',
    },
    { env: 'local' },
  );
  await app.ready();
});
