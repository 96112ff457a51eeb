import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Application } from 'koa-clutch';
import { type LogTrace, logChannel } from '../../tracing/log_channel.js';
import { until } from '../support/apps.js';
import { loadApp, serve } from '../support/loaded_app.js';

function subscribe(t: TestContext, see: (line: LogTrace) => void): void {
  const subscriber = (line: unknown): void => see(line as LogTrace);
  logChannel.subscribe(subscriber);
  t.after(() => logChannel.unsubscribe(subscriber));
}

const CONFIG = "exports.keys = 'k'; exports.logger = { consoleLevel: 'NONE', outputJSON: true };";

/** Waits until a log file of an app has a line. */
function written(app: Application, file: string, line: RegExp): Promise<string> {
  const { dir } = app.config['logger'] as { dir: string };
  return until(`${file} has ${line}`, () => line.exec(readFileSync(path.join(dir, file), 'utf8'))?.[0]);
}

test('each line is published once, with its secrets masked, also an error that goes to two files', async (t) => {
  const app = loadApp(t, { 'config/config.default.js': CONFIG });
  await app.ready();
  const lines: LogTrace[] = [];
  subscribe(t, (line) => lines.push(line));
  app.logger.error('token=abcdef0123456789');
  app.logger.debug('below the level of every place');
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.level, 'ERROR');
  assert.doesNotMatch(lines[0]?.message ?? '', /abcdef/);
  assert.match(lines[0]?.file ?? '', /demo-web\.log$/);
  await written(app, 'common-error.log', /ERROR/);
});

test('lines have the ids that a subscriber gives them, in text, in JSON and for a formatter', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': `${CONFIG}
      exports.customLogger = { own: { file: 'own.log', formatter: (line) => line.trace_id + ' ' + line.message } };`,
    'app/router.js': "module.exports = (app) => app.get('/', (ctx) => { ctx.logger.info('inside'); ctx.body = ''; });",
  });
  const ask = await serve(t, app);
  subscribe(t, (line) => Object.assign(line, { traceId: 't1', spanId: 's1' }));
  app.logger.info('outside');
  app.getLogger('own')?.info('formatted');
  await ask('/');
  await written(app, 'demo-web.log', /INFO \d+ \[trace_id=t1 span_id=s1\] outside/);
  await written(app, 'demo-web.log', /INFO \d+ \[-\/127\.0\.0\.1\/-\/[\d.]+ms GET \/\] inside/);
  await written(app, 'own.log', /^t1 formatted$/m);
  const { trace_id, span_id } = JSON.parse(await written(app, 'demo-web.json.log', /^.*"inside".*$/m));
  assert.deepEqual([trace_id, span_id], ['t1', 's1']);
});
