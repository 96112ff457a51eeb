import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../../support/apps.js';
import { loadApp, writeApp, written } from '../../support/loaded_app.js';

type Traced = ReturnType<typeof loadApp> & { trace: string[] };

const ALL_HOOKS = (name: string): string => `module.exports = class {
  constructor(app) { this.app = app; app.trace = app.trace || []; this.log('constructor'); }
  log(hook) { this.app.trace.push('${name}.' + hook); }
  configWillLoad() { this.log('configWillLoad'); }
  configDidLoad() { this.log('configDidLoad'); }
  async didLoad() { this.log('didLoad'); await null; }
  async willReady() { this.log('willReady'); }
  async didReady(error) { await null; this.log(error ? 'didReady:' + error.message : 'didReady'); }
  async serverDidReady() { this.log('serverDidReady'); }
  async beforeClose() { await null; this.log('beforeClose'); }
};`;

const PLUGIN = {
  'config/plugin.js': `exports.p = { path: require('path').join(__dirname, '../p') };`,
  'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" } }',
};

test('hooks run in the order of units, and beforeClose in reverse', async (t) => {
  const app = loadApp(t, { ...PLUGIN, 'p/app.js': ALL_HOOKS('p'), 'app.js': ALL_HOOKS('app') }) as Traced;
  await app.ready();
  await until('didReady has run', () => app.trace.includes('app.didReady'));
  await app.close();
  assert.deepEqual(app.trace, [
    'p.constructor',
    'app.constructor',
    'p.configWillLoad',
    'app.configWillLoad',
    'p.configDidLoad',
    'app.configDidLoad',
    'p.didLoad',
    'app.didLoad',
    'p.willReady',
    'app.willReady',
    'p.didReady',
    'app.didReady',
    'app.beforeClose',
    'p.beforeClose',
  ]);
});

test('a function as app.js runs in its place among configDidLoad', (t) => {
  const app = loadApp(t, {
    ...PLUGIN,
    'p/app.js': 'module.exports = (app) => { app.trace.push("p function"); };',
    'app.js': ALL_HOOKS('app'),
  });
  const { trace } = app as Traced;
  assert.deepEqual(trace, ['app.constructor', 'app.configWillLoad', 'p function', 'app.configDidLoad']);
});

test('services, controllers and router are loaded after configDidLoad', (t) => {
  const app = loadApp(t, {
    'app.js':
      'module.exports = class { constructor(app) { this.app = app; } configDidLoad() { this.app.before = [this.app.controller, this.app.serviceClasses]; } };',
    'app/controller/a.js': 'exports.a = async () => {};',
  }) as unknown as { before: unknown[]; controller: object };
  assert.deepEqual(app.before, [undefined, undefined]);
  assert.ok(app.controller);
});

test('a didLoad that rejects fails ready, skips willReady, and didReady gets the error', async (t) => {
  const app = loadApp(t, {
    'app.js': ALL_HOOKS('app').replace("this.log('didLoad'); await null;", "throw new Error('no db');"),
    'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
  }) as Traced;
  await assert.rejects(app.ready(), /no db/);
  await until('didReady has run', () => app.trace.includes('app.didReady:no db'));
  assert.ok(!app.trace.includes('app.willReady'));
  await app.close();
  assert.ok(app.trace.includes('app.beforeClose'));
});

for (const thrown of ['undefined', 'null', "'text'"]) {
  test(`throw ${thrown} in didLoad fails ready as well`, async (t) => {
    const app = loadApp(t, {
      'app.js': `module.exports = class { async didLoad() { throw ${thrown}; } };`,
      'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
    });
    await assert.rejects(app.ready());
  });
}

test('a didReady that rejects is an error event; the app stays ready', async (t) => {
  const app = loadApp(t, {
    'app.js': 'module.exports = class { async didReady() { throw new Error("late"); } };',
    'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
  });
  const [error] = await once(app, 'error');
  assert.equal(error.message, 'late');
  await app.ready();
});

for (const hook of ['configWillLoad', 'configDidLoad', 'constructor']) {
  test(`an error in ${hook} is thrown by the constructor of the application`, (t) => {
    assert.throws(
      () => loadApp(t, { 'app.js': `module.exports = class { ${hook}() { throw new Error('early'); } };` }),
      /early/,
    );
  });
}

test('beforeStart, readyCallback and what they start are waited for', async (t) => {
  const app = loadApp(t);
  const done: string[] = [];
  app.beforeStart(async () => {
    await null;
    app.beforeStart(async () => {
      await null;
      done.push('inner');
    });
    done.push('outer');
  });
  const finish = app.readyCallback('third');
  setImmediate(() => {
    done.push('callback');
    finish();
  });
  await app.ready();
  assert.deepEqual(done.sort(), ['callback', 'inner', 'outer']);
});

test('readyCallback with an error fails ready, unless it is a weak dependency', async (t) => {
  const weak = loadApp(t);
  weak.readyCallback('weak', { isWeakDep: true })(new Error('ignored'));
  await weak.ready();
  const strong = loadApp(t, { 'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };' });
  strong.readyCallback('strong')(new Error('counts'));
  await assert.rejects(strong.ready(), /counts/);
});

test('ready takes a callback, before and after', async (t) => {
  const app = loadApp(t);
  await new Promise<void>((resolve) => app.ready(() => resolve()));
  let called = false;
  app.ready(() => {
    called = true;
  });
  assert.equal(called, true);
});

test('a task slower than EGG_READY_TIMEOUT_ENV emits ready_timeout with its name, and the app still becomes ready', async (t) => {
  process.env['EGG_READY_TIMEOUT_ENV'] = '20';
  t.after(() => delete process.env['EGG_READY_TIMEOUT_ENV']);
  const app = loadApp(t, { 'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };' });
  const finish = app.readyCallback('slow one');
  const [name] = await once(app, 'ready_timeout');
  assert.equal(name, 'slow one');
  finish();
  await app.ready();
});

test('EGG_READY_TIMEOUT_ENV that is no number is refused', (t) => {
  process.env['EGG_READY_TIMEOUT_ENV'] = 'soon';
  t.after(() => delete process.env['EGG_READY_TIMEOUT_ENV']);
  assert.throws(() => loadApp(t), { code: 'ERR_CLUTCH_OPTION', message: /EGG_READY_TIMEOUT_ENV is "soon"/ });
});

test('close runs what was registered in reverse, once, and gives every caller the same outcome', async (t) => {
  const app = loadApp(t);
  const order: number[] = [];
  const twice = async () => void order.push(1);
  app.beforeClose(twice);
  app.beforeClose(twice);
  app.beforeClose(async () => void order.push(2));
  await Promise.all([app.close(), app.close()]);
  assert.deepEqual(order, [2, 1]);
  assert.throws(() => app.beforeClose(() => undefined), {
    code: 'ERR_CLUTCH_LIFECYCLE',
    message: /app has been closed/,
  });
});

test('a closer that throws makes close reject, each time', async (t) => {
  const app = loadApp(t);
  app.beforeClose(() => {
    throw new Error('stuck');
  });
  await assert.rejects(app.close(), /stuck/);
  await assert.rejects(app.close(), /stuck/);
});

test('functions are required where functions are registered', (t) => {
  const app = loadApp(t);
  assert.throws(() => app.beforeStart(1 as never), /beforeStart takes a function/);
  assert.throws(() => app.beforeClose(1 as never), /beforeClose takes a function/);
  assert.throws(() => app.use(1 as never), { name: 'TypeError', message: 'middleware must be a function!' });
  assert.throws(() => app.lifecycle.addBootHook(class {}), /do not add hook when lifecycle has been initialized/);
});

test('start: Agent and Application in one process, closed together, Agent last', async (t) => {
  const before = process.listenerCount('unhandledRejection');
  const baseDir = writeApp(t, { 'app.js': ALL_HOOKS('app'), 'agent.js': ALL_HOOKS('agent') });
  const app = (await start({ baseDir, env: 'unittest' })) as unknown as Traced & { agent: Traced };
  assert.equal((app.agent as unknown as { application: unknown }).application, app);
  await until('serverDidReady has run in both', () =>
    [app, app.agent].every(({ trace }) => trace.some((line) => line.includes('serverDidReady'))),
  );
  const closed: string[] = [];
  app.once('close', () => closed.push('app'));
  app.agent.once('close', () => closed.push('agent'));
  await app.close();
  assert.deepEqual(closed, ['agent', 'app']);
  assert.equal(process.listenerCount('unhandledRejection'), before);
});

test('messages of single mode reach the other side; an early one waits for its listener', async (t) => {
  const baseDir = writeApp(t, {
    'agent.js':
      'module.exports = (agent) => { agent.messenger.sendToApp("early", 1); agent.messenger.on("q", (n) => agent.messenger.sendToApp("a", n + 1)); };',
    'app.js':
      'module.exports = class { constructor(app) { this.app = app; } async didLoad() { this.app.messenger.on("early", (n) => { this.app.early = n; }); } };',
  });
  const app = await start({ baseDir, env: 'unittest' });
  t.after(() => app.close());
  const answer = once(app.messenger, 'a');
  app.messenger.sendToAgent('q', 41);
  assert.deepEqual(await answer, [42]);
});

const WRONG_OPTIONS: [options: object, code: string, message: RegExp][] = [
  [{ baseDir: 1 }, 'ERR_CLUTCH_OPTION', /options\.baseDir must be a string/],
  [{ baseDir: '/nowhere' }, 'ERR_CLUTCH_NOT_FOUND', /Directory \/nowhere does not exist/],
  [{ baseDir: path.join(process.cwd(), 'package.json') }, 'ERR_CLUTCH_NOT_FOUND', /is not a directory/],
];
for (const [options, code, message] of WRONG_OPTIONS) {
  test(`new Application(${JSON.stringify(options)}) is refused`, (t) => {
    assert.throws(() => loadApp(t, {}, options as never), { code, message });
  });
}

for (const [text, message] of [
  ['{}', /name is required from .*package\.json/],
  ['{', /package\.json is not valid JSON/],
] as const) {
  test(`package.json with ${text} is refused`, (t) => {
    assert.throws(() => loadApp(t, { 'package.json': text }), { code: 'ERR_CLUTCH_PACKAGE', message });
  });
}

test('run/ holds config without secrets, and the boot timeline as JSON and as a trace', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js':
      'exports.keys = "k1"; exports.db = { password: "hunter2", token: "t0p" }; exports.fn = function f() {};',
    'app.js': 'module.exports = class { async didLoad() {} };',
  });
  await written(app);
  const read = (name: string) => readFileSync(path.join(app.baseDir, 'run', name), 'utf8');
  const { config } = JSON.parse(read('application_config.json'));
  assert.equal(config.db.password, '<String len: 7>');
  assert.equal(config.fn, '<Function f>');
  assert.equal(config.keys, '<String len: 2>');
  for (const name of ['application_config.json', 'application_config_sources.json'])
    assert.doesNotMatch(read(name), /hunter2|t0p|k1/);
  const trace = JSON.parse(read(`application_trace_${process.pid}.json`)).traceEvents as { name: string; ph: string }[];
  for (const name of ['Load Plugin', 'Load Config', 'Load Controller'])
    assert.ok(
      trace.some((event) => event.name === name && event.ph === 'X'),
      name,
    );
  assert.ok(trace.some(({ name }) => /^Did Load in .*app\.js:didLoad$/.test(name)));
});

test('what an app that closes has not written to run/ is written then', async (t) => {
  const app = loadApp(t);
  await app.ready();
  const file = path.join(app.baseDir, 'run/application_config.json');
  assert.equal(existsSync(file), false);
  await app.close();
  assert.ok(existsSync(file));
});

test('an app whose boot fails has written run/ by then', async (t) => {
  const app = loadApp(t, { 'app.js': 'module.exports = class { async didLoad() { throw new Error("no"); } };' });
  await assert.rejects(app.ready(), /no/);
  assert.ok(existsSync(path.join(app.baseDir, 'run/application_config.json')));
});

test('a slow boot step is warned about by unit and hook', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js':
      'exports.dump = { timing: { slowBootActionMinDuration: 30 } }; exports.logger = { consoleLevel: "NONE" };',
    'app.js': 'module.exports = class { didLoad() { return new Promise((r) => setTimeout(r, 60)); } };',
  });
  await app.ready();
  const log = path.join(app.baseDir, 'logs/demo/egg-web.log');
  await until('the warning is logged', () => {
    try {
      return /slow boot: Did Load in .*app\.js:didLoad took \d+ ms/.test(readFileSync(log, 'utf8'));
    } catch {
      return false;
    }
  });
});

test('timelines of earlier boots stay, up to fifty of a type', async (t) => {
  const files: Record<string, string> = { 'run/agent_timing_1.json': '[]', 'run/notes.json': '[]' };
  for (let pid = 1; pid <= 60; pid += 1) files[`run/application_timing_${pid}.json`] = '[]';
  const app = loadApp(t, files);
  await written(app);
  const names = readdirSync(path.join(app.baseDir, 'run'));
  assert.equal(names.filter((name) => name.startsWith('application_timing_')).length, 50);
  assert.ok(names.includes(`application_timing_${process.pid}.json`));
  assert.ok(names.includes('agent_timing_1.json') && names.includes('notes.json'));
});
