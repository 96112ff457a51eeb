import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Application, Transport } from 'koa-clutch';
import { ROOT } from '../../../support/apps.js';
import { type Files, loadAgent, loadApp, serve, writeApp } from '../../../support/loaded_app.js';

const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}`;

function readLog(app: { baseDir: string }, name: string): string {
  return readFileSync(path.join(app.baseDir, 'logs/demo', name), 'utf8');
}

/** The lines of a log without their time. */
function lines(app: { baseDir: string }, name: string): string[] {
  return readLog(app, name)
    .replaceAll(new RegExp(`^${TIME} `, 'gm'), '')
    .trimEnd()
    .split('\n');
}

function quietApp(t: TestContext, config = '', files: Files = {}): Application {
  return loadApp(t, {
    'config/config.unittest.js': `exports.logger = { consoleLevel: 'NONE' };`,
    'config/config.default.js': config,
    ...files,
  });
}

test('a line has time, level, pid and what util.format makes of the arguments', (t) => {
  const app = quietApp(t);
  app.logger.info('hello %s %j', 1, { a: 1 }, { b: 2 });
  app.logger.warn({ a: 1 });
  app.logger.info('100%');
  app.logger.info();
  app.logger.info(null, undefined, 1);
  app.logger.debug('not written');
  app.logger.write('raw %s', 1);
  assert.match(readLog(app, 'demo-web.log'), new RegExp(`^${TIME} INFO ${process.pid} hello 1 `));
  assert.deepEqual(lines(app, 'demo-web.log'), [
    `INFO ${process.pid} hello 1 {"a":1} { b: 2 }`,
    `WARN ${process.pid} { a: 1 }`,
    `INFO ${process.pid} 100%`,
    `INFO ${process.pid} `,
    `INFO ${process.pid} null undefined 1`,
    'raw 1',
  ]);
});

test('an error has code, stack, own properties, nested errors and causes, as Egg prints them', (t) => {
  const app = quietApp(t);
  const frames = '    at one (a.js:1:1)\n    at two (b.js:2:2)';
  const make = (error: Error, own: object = {}): Error => {
    Object.defineProperty(error, 'stack', { value: `${error.name}: ${error.message}\n${frames}` });
    return Object.assign(error, own);
  };
  const cause = make(new TypeError('inner'), { code: 'IN' });
  const own = { code: 'ECODE', status: 500, data: { x: 1 }, buf: Buffer.from('hi'), fn: () => 1 };
  app.logger.error(make(new Error('boom', { cause }), own));
  app.logger.error(make(new AggregateError([make(new Error('a'))], ''), { host: 'h' }));
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  app.logger.error(make(new Error('circular'), { circular, password: 'planted' }));
  const end = `pid: ${process.pid}\nhostname: ${hostname()}\n`;
  assert.equal(
    lines(app, 'common-error.log').join('\n'),
    [
      `ERROR ${process.pid} nodejs.ECODEError: boom\n${frames}`,
      'code: "ECODE"\nstatus: 500\ndata: {"x":1}\nbuf: "<Buffer 68 69>"\nfn: undefined',
      `cause:\n\nnodejs.TypeError: inner\n${frames}\ncode: "IN"\n${end}`,
      `ERROR ${process.pid} nodejs.AggregateError: no_message (h)\n${frames}\nhost: "h"`,
      `[error-0]:\n\nnodejs.Error: a\n${frames}\n\n${end}`,
      `ERROR ${process.pid} nodejs.Error: circular\n${frames}\ncircular: {"self":"~"}\npassword: "***"\n${end}`.trimEnd(),
    ].join('\n'),
  );
});

test('what is no error in `errors`, such as the faults of a validation, is printed once', (t) => {
  const app = quietApp(t);
  app.logger.error(Object.assign(new Error('invalid'), { errors: [{ field: 'n', message: 'is needed' }] }));
  const text = lines(app, 'common-error.log').join('\n');
  assert.match(text, /^errors: \[\{"field":"n","message":"is needed"\}\]$/m);
  assert.doesNotMatch(text, /no_name|\[error-0\]/);
});

test('inside a request every logger names user, ip, trace, time, method and URL, secrets masked', async (t) => {
  const app = quietApp(t, `exports.customLogger = { audit: { file: 'audit.log' } };`, {
    'app/router.js': `module.exports = (app) => app.get('/log', async (ctx) => {
      ctx.userId = 7;
      ctx.tracer = { traceId: 'trace-1' };
      ctx.logger.info('by ctx.logger');
      ctx.coreLogger.info('by ctx.coreLogger');
      ctx.getLogger('audit').info('by ctx.getLogger');
      await null;
      app.logger.info('by app.logger');
      app.getLogger('audit').info('by app.getLogger');
      app.logger.error(new Error('by error'));
      ctx.body = 'ok';
    });`,
  });
  await (await serve(t, app))('/log?token=planted&x=1');
  const head = String.raw`INFO ${process.pid} \[7/(?:::ffff:)?(?:127\.0\.0\.1|::1)/trace-1/[\d.]+ms GET /log\?token=\*\*\*&x=1\] `;
  for (const [file, ...texts] of [
    ['demo-web.log', 'by ctx.logger', 'by app.logger'],
    ['egg-web.log', 'by ctx.coreLogger'],
    ['audit.log', 'by ctx.getLogger', 'by app.getLogger'],
  ] as string[][]) {
    const written = lines(app, file as string);
    assert.equal(written.length >= texts.length, true, written.join('\n'));
    for (const [index, text] of texts.entries()) assert.match(written[index] as string, new RegExp(`^${head}${text}$`));
  }
  assert.match(readLog(app, 'common-error.log'), /GET \/log\?token=\*\*\*&x=1\] nodejs\.Error: by error/);
  app.logger.info('outside');
  assert.equal(lines(app, 'demo-web.log').at(-1), `INFO ${process.pid} outside`);
});

test('a custom logger has its own file, level, formatter and formatter for requests', (t) => {
  const app = quietApp(
    t,
    `exports.customLogger = { own: {
      file: 'deep/own.log', level: 'WARN', consoleLevel: 'NONE',
      formatter: ({ level, date, pid, hostname, message }) => [level, date.length, pid > 0, hostname.length > 0, message].join('|'),
      contextFormatter: ({ ctx, paddingMessage, message }) => [ctx.url, paddingMessage.slice(0, 2), message].join('|'),
    } };`,
  );
  const own = app.getLogger('own');
  own?.info('not written');
  own?.warn('hello');
  app.createAnonymousContext({ url: '/x' }).getLogger('own')?.warn('in a request');
  assert.deepEqual(readLog(app, 'deep/own.log').trim().split('\n'), ['WARN|23|true|true|hello', '/x|[-|in a request']);
  assert.equal(app.getLogger('other'), null);
});

test('outputJSON writes an object a line beside, outputJSONOnly instead', (t) => {
  const app = quietApp(
    t,
    `exports.logger = { outputJSON: true };
     exports.customLogger = { only: { file: 'only.log', outputJSONOnly: true } };`,
  );
  app.logger.info('hello "you"\nthere');
  app.createAnonymousContext({ url: '/x' }).logger.info('in a request');
  app.getLogger('only')?.info('one');
  const [first, second] = readLog(app, 'demo-web.json.log')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines(app, 'demo-web.log')[0], `INFO ${process.pid} hello "you"`);
  const { date, ...rest } = first;
  assert.match(date, new RegExp(`^${TIME}$`));
  assert.deepEqual(rest, { level: 'INFO', pid: process.pid, hostname: hostname(), message: 'hello "you"\nthere' });
  assert.match(second.paddingMessage, /^\[-\/127\.0\.0\.1\/-\/[\d.]+ms GET \/x\]$/);
  assert.equal(JSON.parse(readLog(app, 'only.json.log')).message, 'one');
  assert.ok(!existsSync(path.join(app.baseDir, 'logs/demo/only.log')));
});

for (const [mode, own, shared] of [
  ['duplicate', true, true],
  ['redirect', false, true],
  ['ignore', true, false],
] as const) {
  test(`concentrateError: ${mode}`, (t) => {
    const app = quietApp(t, `exports.customLogger = { own: { concentrateError: '${mode}' } };`);
    app.getLogger('own')?.error('failed');
    app.getLogger('own')?.warn('warned');
    app.loggers.errorLogger.error('end');
    assert.equal(readLog(app, 'own.log').includes('failed'), own);
    assert.match(readLog(app, 'own.log'), /warned/);
    assert.equal(readLog(app, 'common-error.log').includes('failed'), shared);
  });
}

test('a transport of the app gets lines by its level; one can be switched off', (t) => {
  const app = quietApp(t);
  const got: string[] = [];
  class Remote extends Transport {
    override log(level: string, args: unknown[], meta?: object): void {
      got.push(`${level} ${args.length} ${String(super.log(level, args, meta)).replace(/^\S+ \S+ /, '')}`);
    }
  }
  app.logger.set('remote', new Remote({ level: 'WARN' }));
  app.logger.info('no');
  app.logger.warn('yes %s', 1);
  app.logger.disable('remote');
  app.logger.warn('no');
  assert.deepEqual(got, [`WARN 2 WARN ${process.pid} yes 1\n`]);
  assert.deepEqual([...app.logger.keys()], ['file', 'console', 'remote']);
});

test('plugins find all loggers and their files by name', (t) => {
  const app = quietApp(t, 'exports.customLogger = { own: {} };');
  assert.deepEqual(
    Object.keys(app.loggers).filter((name) => name !== 'scheduleLogger'),
    [...['errorLogger', 'logger', 'coreLogger', 'own']],
  );
  const files = Object.values(app.loggers).flatMap((logger) =>
    [...logger.values()].map((transport) => (transport.options as { file?: string }).file),
  );
  assert.deepEqual(
    files.flatMap((file) => (file === undefined || file.endsWith('schedule.log') ? [] : [path.basename(file)])),
    ['common-error.log', 'demo-web.log', 'egg-web.log', 'own.log'],
  );
});

test('levels can be changed while running', (t) => {
  const app = quietApp(t);
  app.logger.level = 'DEBUG';
  app.logger.debug('written');
  app.logger.level = 'NONE';
  app.logger.error('not here');
  assert.deepEqual(lines(app, 'demo-web.log'), [`DEBUG ${process.pid} written`]);
  assert.deepEqual([app.logger.level, app.logger.consoleLevel], ['NONE', 'NONE']);
});

test('a level or an encoding that there is not stops the boot', (t) => {
  assert.throws(() => loadApp(t, { 'config/config.default.js': `exports.logger = { level: 'LOUD' };` }).logger, {
    code: 'ERR_CLUTCH_CONFIG',
    message: /"LOUD" is not a log level/,
  });
  assert.throws(
    () => loadApp(t, { 'config/config.default.js': `exports.logger = { encoding: 'none-such' };` }).logger,
    {
      code: 'ERR_CLUTCH_CONFIG',
      message: /encoding "none-such"/,
    },
  );
});

test('the loggers of the Agent share one file', (t) => {
  const agent = loadAgent(t, {
    'config/config.default.js': `exports.logger = { buffer: true, consoleLevel: 'NONE' };`,
  });
  for (let index = 0; index < 3; index += 1) {
    agent.logger.info('logger %d', index);
    agent.coreLogger.info('coreLogger %d', index);
  }
  agent.loggers.flush();
  assert.deepEqual(
    lines(agent, 'egg-agent.log').map((line) => line.split(' ').slice(2).join(' ')),
    ['logger 0', 'coreLogger 0', 'logger 1', 'coreLogger 1', 'logger 2', 'coreLogger 2'],
  );
});

/** Runs an app that is not in env unittest in a process of its own. */
function run(t: TestContext, code: string, env: NodeJS.ProcessEnv = {}) {
  const baseDir = writeApp(t, { 'config/config.default.js': `exports.logger = { disableConsoleAfterReady: false };` });
  const script = `import { start } from '${ROOT}/dist/index.js';
    const app = await start({ baseDir: process.argv[1], env: 'local' });
    ${code}`;
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script, baseDir], {
    encoding: 'utf8',
    env: { ...process.env, EGG_HOME: baseDir, NODE_TEST_CONTEXT: undefined, ...env },
  });
  return { ...result, baseDir };
}

for (const [how, code] of [
  ['process.exit', 'process.exit(3);'],
  ['an uncaught exception', "setImmediate(() => { throw new Error('crash'); });"],
  ['SIGTERM that nobody handles', "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);"],
  ['nothing left to do', 'app.agent.close(); app.close();'],
]) {
  test(`buffered lines are written when the process ends by ${how}`, (t) => {
    const done = run(t, `for (let i = 0; i < 100; i++) app.logger.info('line ' + i);\n${code}`);
    const written = lines(done, 'demo-web.log').filter((line) => / line \d+$/.test(line));
    assert.equal(written.length, 100, done.stderr);
  });
}

test('the console gets lines by consoleLevel or EGG_LOG, errors on stderr, each error once', (t) => {
  const code = "app.logger.debug('a debug'); app.logger.info('an info'); app.logger.error('an error'); process.exit();";
  const plain = run(t, code);
  assert.match(plain.stdout, /an info/);
  assert.doesNotMatch(plain.stdout, /a debug|an error/);
  assert.equal(plain.stderr.match(/an error/g)?.length, 1);
  assert.match(run(t, code, { EGG_LOG: 'debug' }).stdout, /a debug/);
  assert.doesNotMatch(run(t, code, { EGG_LOG: 'none' }).stdout, /an info/);
});

test('a debug level in production becomes INFO unless it is allowed', (t) => {
  for (const allowDebugAtProd of [false, true]) {
    const app = loadApp(
      t,
      {
        'config/config.default.js': `exports.logger = { dir: __dirname + '/../logs/demo', level: 'DEBUG', consoleLevel: 'NONE', buffer: false, allowDebugAtProd: ${allowDebugAtProd} };`,
      },
      { env: 'prod' },
    );
    app.logger.debug('a debug');
    app.logger.info('an info');
    assert.equal(readLog(app, 'demo-web.log').includes('a debug'), allowDebugAtProd);
  }
});

test('secret parameters and long urls of requests are not in the log', async (t) => {
  const app = quietApp(
    t,
    `exports.dump = { ignore: ['voucher'] };
    exports.customLogger = { audit: { file: 'audit.log', contextFormatter: ({ ctx, message }) => ctx.url + ' ' + message } };`,
    {
      'app/router.js': `module.exports = (app) => app.get('/shown', (ctx) => {
        ctx.logger.info('seen');
        ctx.getLogger('audit').info('seen');
        ctx.body = 'ok';
      });`,
    },
  );
  const ask = await serve(t, app);
  const queries = [
    '_csrf=S3CRET1&page=2',
    'page=2&access_token=S3CRET1;password=S3CRET2',
    '%74oken=S3CRET1&user%5Bpassword%5D=S3CRET2&a[secret][]=S3CRET3',
    'voucher=S3CRET1&%zz%5Bapi_key%5D=S3CRET2',
    'page=2&sort=name',
  ];
  for (const query of queries) assert.equal((await ask(`/shown?${query}`)).body, 'ok');
  assert.deepEqual(
    lines(app, 'demo-web.log').map((line) => / GET (\S+)] seen$/.exec(line)?.[1]),
    [
      '/shown?_csrf=***&page=2',
      '/shown?page=2&access_token=***;password=***',
      '/shown?%74oken=***&user%5Bpassword%5D=***&a[secret][]=***',
      '/shown?voucher=***&%zz%5Bapi_key%5D=***',
      '/shown?page=2&sort=name',
    ],
  );
  assert.match(lines(app, 'audit.log')[0] as string, /^\/shown\?_csrf=\*\*\*&page=2 seen$/);
  await ask(`/shown?a=${'x'.repeat(10_000)}&token=S3CRET1`);
  const last = lines(app, 'demo-web.log').at(-1) as string;
  assert.match(last, / GET \/shown\?a=x{2039}\.\.\.] seen$/);
  assert.doesNotMatch(readLog(app, 'demo-web.log'), /S3CRET/);
});

test('an error of Clutch says where and how to mend it once', (t) => {
  const app = quietApp(t);
  const { ctx } = { ctx: app.createAnonymousContext() };
  try {
    ctx.cookies.set('a', '1', { secure: true });
  } catch (error) {
    app.logger.error(error);
  }
  const text = readLog(app, 'demo-web.log');
  for (const once of [
    'Please set config.keys first',
    'config.keys signs and encrypts cookies',
    'Add a long random text',
  ]) {
    assert.equal(text.split(once).length, 2, text);
  }
  assert.match(text, /\n {4}at .+\n/);
});

test('of a broken body nothing is logged, and an error with long or many properties is bounded', async (t) => {
  const app = quietApp(t, "exports.keys = 'k'; exports.security = { csrf: { enable: false } };", {
    'app/router.js': `module.exports = (app) => {
      app.post('/', async (ctx) => { ctx.body = ctx.request.body; });
      app.get('/many', () => {
        const error = new Error('m'.repeat(5e6));
        for (let index = 0; index < 2000; index += 1) error['key' + index] = 'y'.repeat(20_000);
        throw error;
      });
      app.get('/lines', () => { throw new Error('line\\n'.repeat(1e6)); });
    };`,
  });
  const ask = await serve(t, app);
  const body = `{"password":"hunter2","text":"${'x'.repeat(900_000)}`;
  for (let count = 0; count < 20; count += 1) {
    const headers = { 'content-type': 'application/json' };
    assert.equal((await ask('/', { method: 'POST', headers, body })).status, 400);
  }
  assert.equal((await ask('/many')).status, 500);
  assert.equal((await ask('/lines')).status, 500);
  await app.close();
  for (const name of ['common-error.log', 'demo-web.log']) {
    const text = readLog(app, name);
    assert.ok(text.length < 400_000, `${name} has ${text.length} characters`);
    assert.doesNotMatch(text, /hunter2|x{1000}/);
  }
  const errors = readLog(app, 'common-error.log');
  assert.match(errors, /\.\.\. and \d+ more properties/);
  assert.equal(errors.match(/router\.js:/g)?.length, 2, 'both stacks are there');
});
