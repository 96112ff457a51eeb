import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ChangeInfo, start } from 'koa-clutch';
import { startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { type Files, loadApp, writeApp } from '../../support/loaded_app.js';

interface Seen {
  dir: string;
  seen: ChangeInfo[];
  /** Waits until a change of this path, relative to the directory, has been seen. */
  change(file: string, matches?: (info: ChangeInfo) => boolean): Promise<ChangeInfo>;
}

async function watchDirectory(t: TestContext, ...watched: string[]) {
  const dir = temporaryDirectory(t);
  const app = loadApp(t);
  const seen: ChangeInfo[] = [];
  mkdirSync(path.join(dir, 'there/deep'), { recursive: true });
  writeFileSync(path.join(dir, 'file.txt'), '1');
  const listener = (info: ChangeInfo) => void seen.push(info);
  app.watcher.watch(
    watched.map((file) => path.join(dir, file)),
    listener,
  );
  await app.watcher.ready();
  const change: Seen['change'] = (file, matches = () => true) =>
    until(`a change of ${file}`, () => seen.find((info) => info.path === path.join(dir, file) && matches(info)));
  return { dir, app, seen, change, listener };
}

test('watch: a file that is written, replaced, removed and made again', async (t) => {
  const { dir, change, seen } = await watchDirectory(t, 'file.txt');
  const file = path.join(dir, 'file.txt');
  writeFileSync(file, '22');
  const written = await change('file.txt', ({ stat }) => stat?.size === 2);
  assert.deepEqual([written.isFile, written.isDirectory, written.remove], [true, false, false]);
  writeFileSync(`${file}.tmp`, '333');
  renameSync(`${file}.tmp`, file);
  await change('file.txt', ({ stat }) => stat?.size === 3);
  rmSync(file);
  await change('file.txt', ({ remove }) => remove);
  writeFileSync(file, '4444');
  await change('file.txt', ({ stat }) => stat?.size === 4);
  assert.ok(seen.every((info) => info.path === file));
});

test('watch: directories with all below them, also those that come later', async (t) => {
  const { dir, change } = await watchDirectory(t, 'there', 'later/dir');
  writeFileSync(path.join(dir, 'there/deep/a.txt'), '1');
  await change('there/deep/a.txt');
  mkdirSync(path.join(dir, 'there/new'));
  await change('there/new');
  writeFileSync(path.join(dir, 'there/new/b.txt'), '1');
  await change('there/new/b.txt');
  mkdirSync(path.join(dir, 'later'));
  mkdirSync(path.join(dir, 'later/dir'));
  await change('later/dir');
  writeFileSync(path.join(dir, 'later/dir/c.txt'), '1');
  await change('later/dir/c.txt');
});

test('unwatch: a listener hears no more', async (t) => {
  const { dir, app, seen, listener } = await watchDirectory(t, 'file.txt', 'there');
  app.watcher.unwatch(path.join(dir, 'file.txt'), listener);
  app.watcher.watch(path.join(dir, 'file.txt'), (info) => void others.push(info));
  const others: ChangeInfo[] = [];
  await app.watcher.ready();
  writeFileSync(path.join(dir, 'file.txt'), '22');
  await until('the other listener hears', () => others.length > 0);
  assert.deepEqual(seen, []);
  app.watcher.unwatch([path.join(dir, 'there')]);
  writeFileSync(path.join(dir, 'there/x.txt'), '');
  writeFileSync(path.join(dir, 'file.txt'), '333');
  await until('the other listener hears again', () => others.length > 1);
  assert.equal(seen.length, 0);
});

test('an event source of its own; fuzzy-change is for what lies below', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': `
      const { EventEmitter } = require('events');
      class Source extends EventEmitter {
        constructor(options) { super(); this.options = options; exports.source = this; }
        watch(path) { (this.paths ??= []).push(path); }
      }
      exports.watcher = { type: 'mine', eventSources: { mine: Source } };
      exports.watcherMine = { url: 'x' };`,
    'config/config.unittest.js': "exports.watcher = { type: 'mine' };",
  });
  const seen: string[] = [];
  app.watcher.watch('/a/b', (info) => void seen.push(info.path));
  await app.watcher.ready();
  await until(
    'it watches',
    () =>
      (app.loader.requireFile(`${app.baseDir}/config/config.default.js`) as { source: { paths?: string[] } }).source
        .paths,
  );
  const { source } = app.loader.requireFile(`${app.baseDir}/config/config.default.js`) as {
    source: { options: object; emit(event: string, info: object): void };
  };
  assert.deepEqual(source.options, { url: 'x' });
  for (const file of ['/a/b', '/a/b/c', '/a', '/a/bc']) source.emit('change', { path: file });
  source.emit('fuzzy-change', { path: '/a' });
  await until('they are there', () => seen.length === 3);
  assert.deepEqual(seen, ['/a/b', '/a/b/c', '/a']);
});

test('type default watches nothing and says so; an unknown type is an error with the types', async (t) => {
  const none = loadApp(t, { 'config/config.unittest.js': "exports.watcher = { type: 'default' };" });
  const warned: unknown[][] = [];
  none.coreLogger.warn = (...args: unknown[]) => void warned.push(args);
  none.watcher.watch('/x', () => undefined);
  await none.watcher.ready();
  await until('it warns', () => warned.length === 1);
  const wrong = loadApp(t, { 'config/config.unittest.js': "exports.watcher = { type: 'zookeeper' };" });
  await assert.rejects(
    wrong.watcher.ready(),
    /no event source "zookeeper"\n.*config\.watcher\.type\n.*default, development/,
  );
});

const WATCHING: Files = {
  'app.js': `
    const path = require('path');
    module.exports = (app) => {
      app.beforeStart(() => app.watcher.watch(path.join(__dirname, 'watched.txt'), ({ stat }) => {
        require('fs').appendFileSync(path.join(__dirname, 'seen.txt'), process.pid + ' ' + stat?.size + '\\n');
      }).ready());
    };`,
  'watched.txt': '',
};

async function sizesSeen(dir: string): Promise<Map<string, string[]>> {
  const { readFileSync, existsSync } = await import('node:fs');
  const file = path.join(dir, 'seen.txt');
  const byPid = new Map<string, string[]>();
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []) {
    const [pid, size] = line.split(' ') as [string, string];
    byPid.set(pid, [...(byPid.get(pid) ?? []), size]);
  }
  return byPid;
}

test('in a cluster the Agent watches for all workers, and the next Agent goes on', async (t) => {
  const baseDir = writeApp(t, WATCHING);
  const cluster = await startTestCluster(t, { baseDir, workers: 2 }, { EGG_SERVER_ENV: 'unittest' });
  const write = async (size: number): Promise<void> => {
    writeFileSync(path.join(baseDir, 'watched.txt'), 'x'.repeat(size));
    await until(`both workers see ${size}`, async () => {
      const seen = await sizesSeen(baseDir);
      return [...seen.values()].filter((sizes) => sizes.includes(String(size))).length === 2;
    });
  };
  await write(5);
  const { agent } = await cluster.pids();
  process.kill(agent as number, 'SIGKILL');
  await until('there is another Agent', async () => {
    const { agent: next } = await cluster.pids();
    return next !== undefined && next !== agent;
  });
  await until('it watches', async () => {
    writeFileSync(path.join(baseDir, 'watched.txt'), 'x'.repeat(7));
    const seen = await sizesSeen(baseDir);
    return [...seen.values()].filter((sizes) => sizes.includes('7')).length === 2;
  });
});

test('in single mode', async (t) => {
  const baseDir = writeApp(t, WATCHING);
  const app = await start({ baseDir, env: 'unittest' });
  t.after(() => app.close());
  writeFileSync(path.join(baseDir, 'watched.txt'), 'abc');
  await until('it is seen', async () => (await sizesSeen(baseDir)).get(String(process.pid))?.includes('3'));
});
