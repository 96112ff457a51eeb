import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { askMaster } from 'koa-clutch/cluster';
import { CLI, type RunningCluster, startTestCluster, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';
import { noTerminal, openTerminal, type Terminal } from '../support/terminal.js';

const run = promisify(execFile);

async function start(t: TestContext): Promise<RunningCluster & { dir: string }> {
  const dir = writeApp(t, {
    'app/router.js': `module.exports = (app) => {
  app.get('/quick', (ctx) => { ctx.body = 'quick'; });
  app.get('/slow/:id', async (ctx) => { await new Promise((done) => setTimeout(done, 60)); ctx.body = 'slow'; });
};
`,
  });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 2 });
  await until('the control socket replies', () => askMaster(dir, { command: 'status' }).catch(() => undefined));
  return { ...cluster, dir };
}

/** Sends requests until the test has ended. */
function load(t: TestContext, url: string): void {
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const send = async (path: string): Promise<void> => {
    while (!isOver) await request(`${url}${path}`).catch(() => undefined);
  };
  void send('/quick');
  void send('/slow/1');
}

function top(t: TestContext, dir: string, how?: Parameters<typeof openTerminal>[2]): Terminal {
  return openTerminal(t, [process.execPath, CLI, 'top', dir], how);
}

test('clutch top shows a live cluster in 80 columns, sorts, and changes views by keys', {
  skip: noTerminal,
}, async (t) => {
  const { dir, url, pids } = await start(t);
  load(t, url);
  const terminal = top(t, dir);
  const screen = await terminal.shows(/worker 1 +\d+ +ready +[1-9]\d*/);
  const lines = screen.split('\n');
  assert.equal(lines.length, 24);
  assert.ok(
    lines.every((line) => line.length <= 80),
    screen,
  );
  assert.match(lines[0] as string, /ready {2}http:\/\/127\.0\.0\.1:\d+ {2}2\/2 workers/);
  await terminal.shows(/^req\/s +[▁▂▃▄▅▆▇█]+ +[1-9]\d* +p50 \d/m);
  assert.match(screen, /PROCESSv +PID +STATE +REQ\/S +FLY +CPU% +MiB/);
  assert.deepEqual(
    [...screen.matchAll(/^(master|agent|worker \d)/gm)].map(([name]) => name),
    ['master', 'agent', 'worker 0', 'worker 1'],
  );

  terminal.type('i');
  const inverted = await terminal.shows(/PROCESS\^/);
  assert.match(inverted, /worker 1[\s\S]*worker 0[\s\S]*agent[\s\S]*master/);
  terminal.type('>');
  await terminal.shows(/PIDv/);
  terminal.type('r');
  const routes = await terminal.shows(/GET +\/slow\/:id/);
  assert.match(routes, /METHOD +ROUTE +REQ\/Sv +P50 +P95 +P99 +ERRORS/);
  terminal.type('6');
  await terminal.shows(/P99v[\s\S]*\/slow\/:id[\s\S]*\/quick/);
  terminal.type('d');
  await terminal.shows(/no process has ended/);
  process.kill((await pids()).workers[0] as number, 'SIGKILL');
  await terminal.shows(/worker 0 +\d* *signal/);
  terminal.type('h');
  await terminal.shows(/LOOP is the delay/);
  terminal.type('q');
  assert.deepEqual(await terminal.ended, { restored: true, code: 0 });
  assert.ok(terminal.output().endsWith('\u001b[?25h\u001b[?1049l'));
});

test('clutch top follows the size of the terminal, and has no colours with NO_COLOR', {
  skip: noTerminal,
}, async (t) => {
  const { dir } = await start(t);
  const terminal = top(t, dir, { env: { NO_COLOR: '1', LC_ALL: 'C' } });
  await terminal.shows(/worker 1/);
  terminal.resize(40, 160);
  await terminal.shows(/REQUESTS +CONN +LAST EXIT/);
  await until('it is as high', () => terminal.lines().length === 40);
  terminal.resize(8, 40);
  await until(
    'it is as low',
    () => terminal.lines().length === 8 && terminal.lines().every((line) => line.length <= 40),
  );
  assert.doesNotMatch(terminal.output().replaceAll('\u001b', 'ESC'), /ESC\[[\d;]*m|[▁-█…]/);
  terminal.type('\u0003');
  assert.deepEqual(await terminal.ended, { restored: true, code: 0 });
});

const ENDINGS: [string, (terminal: Terminal) => void, NodeJS.ProcessEnv, number][] = [
  ['SIGTERM', (terminal) => terminal.signal(15), {}, 143],
  ['a hang-up', (terminal) => terminal.signal(1), {}, 129],
  [
    'an error in it',
    () => undefined,
    { NODE_OPTIONS: '--import "data:text/javascript,setTimeout(()=>{throw new Error(\'it crashes\')},3000)"' },
    1,
  ],
];
for (const [what, end, env, code] of ENDINGS) {
  test(`the terminal is as it was after ${what}`, { skip: noTerminal }, async (t) => {
    const { dir } = await start(t);
    const terminal = top(t, dir, { env });
    await terminal.shows(/worker 1/);
    end(terminal);
    assert.deepEqual(await terminal.ended, { restored: true, code });
    assert.match(terminal.output(), code === 1 ? /\[\?1049l[\s\S]*Error: it crashes/ : /\[\?1049l$/);
  });
}

test('clutch top goes on through a restart of the app', { skip: noTerminal }, async (t) => {
  const { dir, stop } = await start(t);
  const terminal = top(t, dir);
  await terminal.shows(/worker 1/);
  await stop();
  await terminal.shows(/no app of Clutch is running here/);
  const again = await startTestCluster(t, { baseDir: dir, workers: 1 });
  const { master } = await again.pids();
  await terminal.shows(new RegExp(`master +${master} +ready`));
  terminal.type('q');
  await terminal.ended;
});

test('without a terminal clutch top prints one plain snapshot, --json the data', async (t) => {
  const { dir, url } = await start(t);
  load(t, url);
  const { stdout } = await run(process.execPath, [CLI, 'top', dir], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  assert.ok(!stdout.includes('\u001b'));
  assert.match(stdout, /^master +\d+ +ready/m);
  assert.match(stdout, /^Routes\n.*ROUTE[\s\S]*\/slow\/:id/m);
  const { stdout: json } = await run(process.execPath, [CLI, 'top', dir, '--json'], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  const data = JSON.parse(json) as {
    now: { history: { requests: number }[] };
    routes: { routes: object[] };
    deaths: object[];
  };
  assert.ok((data.now.history.at(-1)?.requests as number) > 0);
  assert.equal(data.routes.routes.length, 2);
});
