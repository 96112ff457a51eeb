import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, printed, startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

/** Each request logs a line; so does the Agent for each message. */
const app = (buffer: boolean): Record<string, string> => ({
  'config/config.default.js': `exports.keys = 'k';
    exports.logger = { dir: __dirname + '/../logs', buffer: ${buffer}, consoleLevel: 'NONE' };`,
  'app/router.js': `module.exports = (app) => app.get('/', (ctx) => {
      ctx.logger.info('served ' + ctx.query.text);
      ctx.logger.error(new Error('an error ' + ctx.query.text));
      app.messenger.sendToAgent('log', ctx.query.text);
      ctx.body = String(process.pid);
    });`,
  'app.js': `module.exports = (app) => app.messenger.on('fill', () => {
      for (let i = 0; i < 100; i++) app.logger.info('x'.repeat(100_000));
    });`,
  'agent.js': `module.exports = (agent) => agent.messenger.on('log', (text) => {
      agent.logger.info('heard ' + text);
      if (text === 'fill') agent.messenger.sendToApp('fill');
    });`,
});

const LOGS = ['demo-web.log', 'egg-web.log', 'egg-agent.log', 'common-error.log'];

/** What a process that writes meanwhile makes of a removal (a file in the directory) or of the replacement. */
const MADE_ANEW = new Set(['ENOTEMPTY', 'EEXIST', 'EISDIR']);

/** Puts something in the place of a file or directory, which a process of the cluster may make anew in the same moment. */
function replace(place: string, make: (place: string) => void): void {
  for (;;) {
    try {
      rmSync(place, { recursive: true, force: true });
      make(place);
      return;
    } catch (error) {
      if (!MADE_ANEW.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

const damages: Record<string, (logs: string) => void> = {
  'the logs directory is removed': (logs) => replace(logs, () => undefined),
  'the logs directory is replaced by a file': (logs) => replace(logs, (place) => writeFileSync(place, '')),
  'logs are replaced by directories': (logs) => {
    for (const name of LOGS) replace(path.join(logs, name), (place) => mkdirSync(place));
  },
  'the disk is full': (logs) => {
    for (const name of LOGS) replace(path.join(logs, name), (place) => symlinkSync('/dev/full', place));
  },
};

const has = (file: string, text: string): boolean => {
  try {
    return readFileSync(file, 'utf8').includes(text);
  } catch {
    return false;
  }
};

for (const buffer of [true, false]) {
  for (const [damage, inflict] of Object.entries(damages)) {
    const name = `${damage}${buffer ? '' : ', without buffer'}`;
    test(`${name}: the service goes on, before and after a reload, and the logs come back`, async (t) => {
      const baseDir = writeApp(t, app(buffer));
      const logs = path.join(baseDir, 'logs');
      const cluster = await startTestCluster(t, { baseDir, workers: 1 });
      const before = await cluster.pids();
      const get = async (text: string): Promise<void> => {
        assert.equal((await request(`${cluster.url}/?text=${text}`)).status, 200);
      };
      await get('first');
      await until('the first line is written', () => has(path.join(logs, 'demo-web.log'), 'served first'));
      inflict(logs);
      for (let index = 0; index < 20; index += 1) await get('second');
      assert.deepEqual(await cluster.pids(), before);
      await cluster.reload();
      for (let index = 0; index < 20; index += 1) await get('third');
      const after = await cluster.pids();
      replace(logs, () => undefined);
      await get('fourth');
      for (const [file, text] of [
        ['demo-web.log', 'served fourth'],
        ['common-error.log', 'an error fourth'],
        ['egg-agent.log', 'heard fourth'],
      ] as const) {
        await until(`${file} is written again`, () => has(path.join(logs, file), text), 30_000);
      }
      assert.deepEqual(await cluster.pids(), after);
      assert.doesNotMatch(cluster.output(), /uncaught|exited|died/i);
    });
  }
}

test('a boot with logs that cannot be written succeeds; lines lost are shown by clutch status', async (t) => {
  const baseDir = writeApp(t, app(true));
  const logs = path.join(baseDir, 'logs');
  writeFileSync(logs, '');
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  assert.equal((await request(`${cluster.url}/?text=fill`)).status, 200);
  await printed(cluster, /WARN \d+ \[clutch\] the log \S+ cannot be written: ENOTDIR/);
  await until('the worker has reported the loss', async () =>
    (await cluster.status()).processes.some(({ kind, lostLogLines = 0 }) => kind === 'app worker' && lostLogLines > 50),
  );
  const { stdout } = spawnSync(process.execPath, [CLI, 'status', baseDir], { encoding: 'utf8' });
  assert.match(stdout, /lost log lines.*\n[\s\S]*app worker 0.* \d\d+ /);
  assert.equal(cluster.output().match(/cannot be written/g)?.length, 2, 'one line from the Agent, one from the worker');
  rmSync(logs);
  await printed(cluster, /is written again; \d+ lines were lost/);
  await until('the log says what is missing', () => has(path.join(logs, 'demo-web.log'), 'lines were lost: ENOTDIR'));
});

test('lines that a process cannot write before it ends are counted in the status and reported once', async (t) => {
  const baseDir = writeApp(t, app(true));
  const logs = path.join(baseDir, 'logs');
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const {
    agent,
    workers: [worker],
  } = await cluster.pids();
  replace(logs, () => undefined);
  writeFileSync(logs, '');
  for (let index = 0; index < 8; index += 1) await request(`${cluster.url}/?text=x`);
  await cluster.reload();
  // Three lines of the worker for each request, one of the Agent.
  await until('the status shows the loss', async () =>
    (await cluster.status()).processes.some(({ kind, lostLogLines }) => kind === 'master' && lostLogLines === 32),
  );
  await printed(cluster, new RegExp(`WARN ${worker} \\[clutch\\] 24 log lines were lost: ENOTDIR`));
  await printed(cluster, new RegExp(`WARN ${agent} \\[clutch\\] 8 log lines were lost: ENOTDIR`));
  await cluster.stop();
  assert.equal(
    cluster.output().match(new RegExp(`(?:${worker}|${agent}) .*lines? \\w+ lost`, 'g'))?.length,
    2,
    'each once',
  );
});

test('no line is lost when a log is renamed under load and reopened by log-reload', async (t) => {
  const baseDir = writeApp(t, app(true));
  const log = path.join(baseDir, 'logs/demo-web.log');
  const cluster = await startTestCluster(t, { baseDir, workers: 2 });
  let sent = 0;
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const text = `n${sent++}n`;
        await request(`${cluster.url}/?text=${text}`);
      }),
    );
    await until('the log is there', () => has(log, 'served'));
    renameSync(log, `${log}.${round}`);
    if (round % 2 === 0) cluster.child.send({ action: 'log-reload', to: 'both' });
  }
  const texts = (): string =>
    [log, ...[0, 1, 2, 3, 4].map((round) => `${log}.${round}`)]
      .map((file) => {
        try {
          return readFileSync(file, 'utf8');
        } catch {
          return '';
        }
      })
      .join('');
  await until('all lines are there', () => {
    const text = texts();
    return Array.from({ length: sent }, (_, index) => text.split(`served n${index}n`).length - 1).every((n) => n === 1);
  });
});

test('a reader of stdout and stderr that goes away costs no process', async (t) => {
  const files = app(true);
  const config = `exports.keys = 'k';
    exports.logger = { dir: __dirname + '/../logs', consoleLevel: 'INFO', disableConsoleAfterReady: false };`;
  const router = `module.exports = (app) => app.get('/', (ctx) => {
      ctx.logger.info('served');
      ctx.logger.error(new Error('an error'));
      app.messenger.sendToAgent('log', 'x');
      process.stdout.write('by the app itself\\n');
      console.error('by the console');
      ctx.body = 'ok';
    });`;
  const baseDir = writeApp(t, { ...files, 'config/config.default.js': config, 'app/router.js': router });
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const before = await cluster.pids();
  cluster.child.stdout?.destroy();
  cluster.child.stderr?.destroy();
  for (let index = 0; index < 50; index += 1) assert.equal((await request(`${cluster.url}/`)).status, 200);
  assert.deepEqual(await cluster.pids(), before);
  await until('the loss is counted', async () => {
    const { processes } = await cluster.status();
    return processes.some(({ kind, lostLogLines = 0 }) => kind === 'app worker' && lostLogLines > 50);
  });
});
