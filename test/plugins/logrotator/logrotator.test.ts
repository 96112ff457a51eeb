import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Application, start } from 'koa-clutch';
import { expiredLogs, nameOfDay, nameOfHour } from '../../../plugins/logrotator/lib/log_names.js';
import { startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { type Files, writeApp } from '../../support/loaded_app.js';

interface Rotated {
  app: Awaited<ReturnType<typeof start>>;
  logs: string;
  names(): string[];
  read(name: string): string;
}

async function startApp(t: TestContext, logrotator: object, files: Files = {}): Promise<Rotated> {
  const config = `exports.keys = 'k';
    exports.logger = { consoleLevel: 'NONE', buffer: true };
    exports.customLogger = { own: { file: 'own.log' }, huge: { file: 'huge.log' } };
    exports.logrotator = ${JSON.stringify(logrotator)};`;
  const app = await start({
    baseDir: writeApp(t, { 'config/config.default.js': config, ...files }),
    env: 'unittest',
  });
  t.after(() => app.close());
  const logs = path.join(app.baseDir, 'logs/demo');
  return {
    app,
    logs,
    names: () => readdirSync(logs).sort(),
    read: (name) => readFileSync(path.join(logs, name), 'utf8'),
  };
}

const day = (daysAgo: number): string => {
  const date = new Date(Date.now() - daysAgo * 24 * 60 * 60 * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
};

test('names are those of the day or hour before', () => {
  const at = (text: string): number => new Date(text).getTime();
  assert.equal(nameOfDay('a.log', at('2026-03-01T00:00:01')), 'a.log.2026-02-28');
  assert.equal(nameOfDay('a.log', at('2026-03-01T00:01:30')), 'a.log.2026-02-28');
  assert.equal(nameOfHour('a.log', '-', at('2026-03-01T00:01:00')), 'a.log.2026-02-28-23');
  assert.equal(nameOfHour('a.log', '_', at('2026-03-01T10:01:00')), 'a.log.2026-03-01_09');
});

test('only rotated logs are old', () => {
  const names = [
    ...['a.log', 'a.log.2026-01-01', 'a.log.2026-01-01-05', 'a.log.2026-01-31', 'a.log.1', 'own.txt.2026-01-01'],
    ...['backup.2026-01-01', 'b.log.2026-01-01.gz', '2026-01-01', 'a.log.2026-01-311'],
  ];
  assert.deepEqual(expiredLogs(names, new Set(['own.txt']), 31, new Date('2026-02-15T12:00:00').getTime()), [
    'a.log.2026-01-01',
    'a.log.2026-01-01-05',
    'own.txt.2026-01-01',
    'b.log.2026-01-01.gz',
  ]);
});

test('by day: each log gets the date of yesterday and is begun anew; one whose new name is taken stays', async (t) => {
  const { app, logs, names, read } = await startApp(t, { filesRotateBySize: ['huge.log'] });
  for (const logger of app.loggers.values()) logger.error('before');
  app.agent.logger.info('before');
  for (const each of [app, app.agent]) each.loggers.flush();
  writeFileSync(path.join(logs, `egg-web.log.${day(1)}`), 'taken');
  await app.runSchedule('logrotator/rotate_by_file');
  for (const logger of app.loggers.values()) logger.error('after');
  app.agent.logger.info('after');
  for (const each of [app, app.agent]) each.loggers.flush();
  for (const name of ['demo-web.log', 'own.log', 'egg-agent.log', 'common-error.log']) {
    assert.match(read(`${name}.${day(1)}`), /before/);
    assert.match(read(name), /after/);
    assert.doesNotMatch(read(name), / before/);
  }
  assert.equal(read(`egg-web.log.${day(1)}`), 'taken');
  assert.match(read('egg-web.log'), /before[\s\S]*after/);
  assert.match(read('common-error.log'), /egg-web\.log is not renamed: .* exists already/);
  assert.ok(!names().includes(`huge.log.${day(1)}`));
});

test('by hour', async (t) => {
  const { app, names } = await startApp(t, { filesRotateByHour: ['own.log'], hourDelimiter: '_' });
  app.getLogger('own')?.info('before');
  app.loggers.flush();
  const before = path.basename(nameOfHour('own.log', '_', Date.now()));
  await app.runSchedule('logrotator/rotate_by_hour');
  const after = path.basename(nameOfHour('own.log', '_', Date.now()));
  assert.ok(names().includes(before) || names().includes(after), names().join());
});

/** Five lines that are too large, each rotated, and a small one. */
async function writeRounds(app: Application): Promise<void> {
  const huge = app.getLogger('huge');
  for (let round = 1; round <= 5; round += 1) {
    huge?.info(`round ${round} ${'x'.repeat(100)}`);
    app.loggers.flush();
    await app.runSchedule('logrotator/rotate_by_size');
  }
  huge?.info('small');
  app.loggers.flush();
}

test('by size: files are counted up, and the oldest is removed', async (t) => {
  const { app, logs, names, read } = await startApp(t, {
    filesRotateBySize: ['huge.log'],
    maxFileSize: 100,
    maxFiles: 3,
  });
  await writeRounds(app);
  await app.runSchedule('logrotator/rotate_by_size');
  assert.deepEqual(
    names().filter((name) => name.startsWith('huge')),
    ['huge.log', 'huge.log.1', 'huge.log.2', 'huge.log.3'],
  );
  assert.deepEqual(
    [1, 2, 3].map((number) => /round \d/.exec(read(`huge.log.${number}`))?.[0]),
    ['round 5', 'round 4', 'round 3'],
  );
  assert.ok(statSync(path.join(logs, 'huge.log')).size < 100);
});

test('by size with gzip: all but the newest are compressed and counted up', async (t) => {
  const { app, logs, names } = await startApp(t, {
    filesRotateBySize: ['huge.log'],
    maxFileSize: 100,
    maxFiles: 3,
    gzip: true,
    gzipDelay: 0,
  });
  await writeRounds(app);
  const rounds = (): string[] =>
    names()
      .filter((name) => /^huge\.log\.\d/.test(name))
      .map((name) => {
        const bytes = readFileSync(path.join(logs, name));
        const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
        return `${name.slice('huge.log.'.length)}: ${/round \d/.exec(text)?.[0]}`;
      });
  assert.deepEqual(rounds(), ['1: round 5', '2.gz: round 4', '3.gz: round 3']);
  // As after a crash between the two: the compressed file is complete, and the log not removed.
  const log = path.join(logs, 'huge.log.1');
  writeFileSync(`${log}.gz`, gzipSync(readFileSync(log)));
  utimesSync(`${log}.gz`, statSync(log).atime, statSync(log).mtime);
  await app.runSchedule('logrotator/rotate_by_size');
  assert.deepEqual(rounds(), ['1.gz: round 5', '2.gz: round 4', '3.gz: round 3']);
});

test('logs older than maxDays are removed', async (t) => {
  const { app, logs, names } = await startApp(t, { maxDays: 3 });
  mkdirSync(logs, { recursive: true });
  for (const days of [1, 3, 4, 400]) writeFileSync(path.join(logs, `demo-web.log.${day(days)}`), '');
  writeFileSync(path.join(logs, `notes.${day(400)}`), '');
  await app.runSchedule('logrotator/clean_log');
  assert.deepEqual(
    names().filter((name) => /\d{4}-/.test(name)),
    [`demo-web.log.${day(3)}`, `demo-web.log.${day(1)}`, `notes.${day(400)}`],
  );
});

test('an app rotates with a class of its own', async (t) => {
  const { app, logs } = await startApp(
    t,
    {},
    {
      'app/schedule/own.js': `module.exports = (app) => {
      class Own extends (app.LogRotator || Object) {
        async getRotateFiles() {
          const srcPath = require('path').join(app.config.logger.dir, 'own.log');
          return new Map([[srcPath, { srcPath, targetPath: srcPath + '.mine' }]]);
        }
      }
      return { schedule: { type: 'worker', cron: '0 0 1 1 *' }, task: () => new Own({ app }).rotate() };
    };`,
    },
  );
  app.getLogger('own')?.info('x');
  app.loggers.flush();
  await app.runSchedule('own');
  assert.ok(existsSync(path.join(logs, 'own.log.mine')));
});

test('in a cluster under load no line is lost', async (t) => {
  let stop: (() => Promise<unknown>) | undefined;
  t.after(() => stop?.());
  const baseDir = writeApp(t, {
    'config/config.default.js': `exports.keys = 'k';
      exports.logger = { dir: __dirname + '/../logs', consoleLevel: 'NONE' };
      exports.logrotator = { filesRotateBySize: ['demo-web.log'], maxFileSize: 2000, maxFiles: 1000, rotateDuration: 50 };`,
    'app/router.js': `module.exports = (app) => app.get('/', (ctx) => {
      ctx.logger.info('served n' + ctx.query.n + 'n');
      ctx.body = '';
    });`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 2 });
  stop = () => cluster.stop();
  const logs = path.join(baseDir, 'logs');
  const names = (): string[] =>
    (existsSync(logs) ? readdirSync(logs) : []).filter((name) => name.startsWith('demo-web'));
  let sent = 0;
  await until(
    'the log was rotated six times',
    async () => {
      await Promise.all(Array.from({ length: 20 }, () => request(`${cluster.url}/?n=${sent++}`)));
      return names().length > 6;
    },
    60_000,
  );
  await cluster.stop();
  const text = names()
    .map((name) => readFileSync(path.join(logs, name), 'utf8'))
    .join('');
  const served = [...text.matchAll(/served n(\d+)n/g)].map(([, n]) => Number(n)).sort((a, b) => a - b);
  assert.deepEqual(
    served,
    Array.from({ length: sent }, (_, n) => n),
  );
});

test('gzip: the Agent compresses a rotated log with all its lines, and what a crash has left', async (t) => {
  const files: Files = {
    [`logs/demo/old.log.${day(3)}`]: 'old\n',
    [`logs/demo/half.log.${day(3)}`]: 'whole\n',
    [`logs/demo/half.log.${day(3)}.gz.tmp`]: 'not a whole',
    [`logs/demo/other.log.${day(3)}x.gz`]: 'left alone',
  };
  const { app, logs, names } = await startApp(t, { gzip: true, gzipDelay: 50, filesRotateBySize: ['huge.log'] }, files);
  const unzip = (name: string): string => gunzipSync(readFileSync(path.join(logs, name))).toString();
  for (let index = 0; index < 1000; index += 1) app.getLogger('own')?.info('line %d', index);
  app.getLogger('own')?.reload();
  await app.runSchedule('logrotator/rotate_by_file');
  app.getLogger('own')?.info('after');
  await until('all are compressed', () => {
    const left = names().filter((name) => /\.\d{4}-\d\d-\d\d$|tmp$/.test(name));
    return left.length === 0 && names().includes(`own.log.${day(1)}.gz`);
  });
  assert.equal(unzip(`old.log.${day(3)}.gz`), 'old\n');
  assert.equal(unzip(`half.log.${day(3)}.gz`), 'whole\n');
  assert.equal(unzip(`own.log.${day(1)}.gz`).split('\n').length, 1001);
  assert.equal(statSync(path.join(logs, `own.log.${day(1)}.gz`)).mode & 0o777, 0o640);
  await until('the new log goes on', () => readFileSync(path.join(logs, 'own.log'), 'utf8').includes('after'));
});
