import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { loadAgent, loadApp, writeApp } from '../support/loaded_app.js';
import { runScript } from '../support/script.js';
import { logged, serveExpression } from '../support/served_app.js';

/** An app whose console is silent unless `config.logger` says otherwise. */
function appWith(t: TestContext, config = '', env = 'unittest') {
  setEnvironment(t, { EGG_HOME: temporaryDirectory(t) });
  const files = { [`config/config.${env}.js`]: `exports.logger = { consoleLevel: 'NONE' }; ${config}` };
  return loadApp(t, files, { env });
}

type App = ReturnType<typeof appWith>;
const read = (app: App, file: string): string =>
  readFileSync(path.join(app.config.logger['dir'] as string, file), 'utf8');

test('core 5.7.loggers write their files; errors of all go to common-error.log, too', (t) => {
  const app = appWith(t, "exports.customLogger = { mine: { file: 'mine.log' } };");
  for (const [name, file] of [
    ['logger', 'demo-web.log'],
    ['coreLogger', 'egg-web.log'],
    ['mine', 'mine.log'],
  ] as const) {
    const logger = app.getLogger(name);
    logger?.info('info of %s', name);
    logger?.error(new Error(`error of ${name}`));
    assert.match(read(app, file), new RegExp(`INFO \\d+ info of ${name}\\n`));
    assert.match(read(app, file), new RegExp(`ERROR \\d+ nodejs\\.Error: error of ${name}\\n`));
    assert.match(read(app, 'common-error.log'), new RegExp(`error of ${name}`));
  }
  assert.doesNotMatch(read(app, 'common-error.log'), /info of/);
});

test('core 5.7.coreLogger takes config.logger.coreLogger', (t) => {
  const app = appWith(t, "exports.logger.coreLogger = { level: 'ERROR' };");
  app.coreLogger.warn('not written');
  app.coreLogger.error('an error');
  app.logger.warn('written');
  assert.match(read(app, 'egg-web.log'), /^\S+ \S+ ERROR \d+ an error\n$/);
  assert.match(read(app, 'demo-web.log'), /written/);
});

test('core 5.7.agent writes both of its loggers to egg-agent.log', (t) => {
  const agent = loadAgent(t, { 'config/config.unittest.js': "exports.logger = { consoleLevel: 'NONE' };" });
  agent.logger.info('from logger');
  agent.coreLogger.info('from coreLogger');
  const text = readFileSync(path.join(agent.config.logger['dir'] as string, 'egg-agent.log'), 'utf8');
  assert.match(text, /from logger\n.*from coreLogger/);
});

test('core 5.7.levels are DEBUG, INFO, WARN, ERROR and NONE', (t) => {
  const app = appWith(t);
  const written = (level: string): string[] => {
    app.logger.level = level as 'INFO';
    const before = read(app, 'demo-web.log').length;
    for (const name of ['debug', 'info', 'warn', 'error'] as const) app.logger[name]('text');
    return [
      ...read(app, 'demo-web.log')
        .slice(before)
        .matchAll(/,\d{3} (\w+) /g),
    ].map(([, name]) => name as string);
  };
  app.logger.info('first');
  assert.deepEqual(written('DEBUG'), ['DEBUG', 'INFO', 'WARN', 'ERROR']);
  assert.deepEqual(written('WARN'), ['WARN', 'ERROR']);
  assert.deepEqual(written('NONE'), []);
});

test('core 5.7.prod DEBUG becomes INFO in prod, unless allowDebugAtProd', (t) => {
  const level = (config: string): string => appWith(t, config, 'prod').logger.level;
  assert.equal(level("exports.logger.level = 'DEBUG';"), 'INFO');
  assert.equal(level("exports.logger.level = 'DEBUG'; exports.logger.allowDebugAtProd = true;"), 'DEBUG');
});

test('core 5.7.concentrateError redirects errors, or leaves them where they are', (t) => {
  const app = appWith(
    t,
    `exports.customLogger = { moved: { concentrateError: 'redirect' }, kept: { concentrateError: 'ignore' } };`,
  );
  for (const name of ['moved', 'kept']) {
    app.getLogger(name)?.info('info');
    app.getLogger(name)?.error(`error of ${name}`);
  }
  assert.doesNotMatch(read(app, 'moved.log'), /error of/);
  assert.match(read(app, 'kept.log'), /error of kept/);
  assert.match(read(app, 'common-error.log'), /error of moved\n$/);
});

test('core 5.7.console errors go to stderr once, the rest to stdout; after ready nothing does in prod', async (t) => {
  const baseDir = writeApp(t);
  const script = `import { Application } from 'koa-clutch';
    const app = new Application({ env: process.env.AS, mode: 'single' });
    app.logger.info('to stdout'); app.logger.error('to stderr');
    await app.ready(); app.logger.error('after ready'); await app.close();`;
  const inTest = await runScript(t, baseDir, script, { AS: 'unittest', EGG_LOG: 'INFO' });
  assert.equal(inTest.stderr.match(/to stderr/g)?.length, 1);
  assert.match(inTest.stderr, /after ready/);
  assert.match(inTest.stdout, /to stdout/);
  assert.doesNotMatch(inTest.stdout, /to stderr/);
  assert.doesNotMatch((await runScript(t, baseDir, script, { AS: 'prod' })).output, /after ready/);
});

test('core 5.7.line has date, level, pid and, in a request, who asks for what', async (t) => {
  const { app, evaluate } = await serveExpression(
    t,
    `(ctx.userId = 'ada', ctx.tracer = { traceId: 't1' }, app.logger.info('any logger'), ctx.logger.info('that of ctx'), 1)`,
  );
  app.logger.info('outside');
  await evaluate('/a?b=1');
  const text = await logged(app, 'demo-web.log', /that of ctx/);
  const date = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3}';
  assert.match(text, new RegExp(`^${date} INFO ${process.pid} outside$`, 'm'));
  for (const message of ['any logger', 'that of ctx']) {
    assert.match(
      text,
      new RegExp(`^${date} INFO ${process.pid} \\[ada/127\\.0\\.0\\.1/t1/\\d+ms GET /a\\?b=1\\] ${message}$`, 'm'),
    );
  }
});

test('core 5.7.error is printed with code, stack, properties, pid, host and causes', (t) => {
  const app = appWith(t);
  const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'EOUTER', extra: 'of mine' });
  app.logger.error(error);
  const text = read(app, 'demo-web.log');
  for (const part of [/nodejs\.EOUTERError: outer\n\s+at /, /extra: "?of mine/, /pid: \d+/, /hostname: /, /inner/]) {
    assert.match(text, part);
  }
});

test('core 5.7.buffer lines are written with the next batch', async (t) => {
  const app = appWith(t, 'exports.logger.buffer = true;');
  app.logger.info('buffered');
  const file = path.join(app.config.logger['dir'] as string, 'demo-web.log');
  assert.equal(existsSync(file) && readFileSync(file, 'utf8').includes('buffered'), false);
  await logged(app, 'demo-web.log', /buffered/);
});

test('core 5.7.outputJSON adds a file of JSON lines', (t) => {
  const app = appWith(t, 'exports.logger.outputJSON = true;');
  app.logger.info('as data');
  const line = JSON.parse(read(app, 'demo-web.json.log').trim()) as Record<string, unknown>;
  assert.deepEqual([line['level'], line['message'], line['pid']], ['INFO', 'as data', process.pid]);
  assert.match(read(app, 'demo-web.log'), /as data/);
});

test('core 5.7.formatter, contextFormatter and paddingMessageFormatter make the line', async (t) => {
  const { app, evaluate } = await serveExpression(
    t,
    `(app.getLogger('mine').info('inside'), app.getLogger('padded').info('inside'), 1)`,
    `exports.customLogger = {
      mine: { formatter: ({ level, message }) => level + '|' + message, contextFormatter: ({ ctx, message }) => ctx.path + '|' + message },
      padded: { paddingMessageFormatter: (ctx) => '<' + ctx.path + '>' } };`,
  );
  app.getLogger('mine')?.info('outside');
  await evaluate('/a');
  assert.equal(await logged(app, 'mine.log', /inside/), 'INFO|outside\n/a|inside\n');
  assert.match(await logged(app, 'padded.log', /inside/), / <\/a> inside\n$/);
});

test('core 5.7.transport one can be set', (t) => {
  const app = appWith(t);
  const lines: string[] = [];
  const transport = {
    shouldLog: (level: string) => level === 'WARN',
    log: (_level: string, args: unknown[]) => lines.push(String(args[0])),
  };
  const unused = () => undefined;
  app.logger.set('mine', { ...transport, enable: unused, disable: unused, reload: unused, close: unused });
  app.logger.info('no');
  app.logger.warn('yes');
  assert.deepEqual(lines, ['yes']);
});

test('core 5.7.encoding may be one that Buffer does not have', (t) => {
  const app = appWith(t, "exports.logger.encoding = 'gbk';");
  app.logger.info('\u4f60');
  const bytes = readFileSync(path.join(app.config.logger['dir'] as string, 'demo-web.log'));
  assert.deepEqual([...bytes.subarray(-3)], [0xc4, 0xe3, 0x0a]);
  assert.throws(() => appWith(t, "exports.logger.encoding = 'none-such';").logger, /encoding "none-such"/);
});

test('core 5.7.enablePerformanceTimer has times with fractions of a millisecond', async (t) => {
  const timer = 'exports.logger.enablePerformanceTimer = true;';
  const { app, ask } = await serveExpression(t, "(ctx.logger.info('timed'), ctx.performanceStarttime > 0)", timer);
  assert.match((await ask('/')).headers['x-readtime'] as string, /^\d+\.\d{1,3}$/);
  await logged(app, 'demo-web.log', /\d\.\d+ms GET \/\] timed/);
});

test('core 5.7.enableFastContextLogger has ctx.getLogger give the loggers of the app', async (t) => {
  const expression = "(ctx.logger.info('fast'), [ctx.getLogger('logger') === app.logger, ctx.logger === app.logger])";
  const { app, evaluate } = await serveExpression(t, expression, 'exports.logger.enableFastContextLogger = true;');
  assert.deepEqual(await evaluate(), [true, true]);
  await logged(app, 'demo-web.log', /GET \/\] fast/);
});

test('core 5.7.ContextLogger is the class of the loggers of ctx, and can be replaced', async (t) => {
  const { evaluate } = await serveExpression(t, "(ctx.logger.info('mine'), ctx.logger.lines)", '', {
    'app.js': `module.exports = (app) => {
      app.ContextLogger = class extends app.ContextLogger { lines = []; info(line) { this.lines.push(line); } }; };`,
  });
  assert.deepEqual(await evaluate(), ['mine']);
});
