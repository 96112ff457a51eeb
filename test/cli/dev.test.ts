import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Views } from '../../cluster/admin/page_data.js';
import { CLI, isAlive, until } from '../support/apps.js';
import { helloApp, runDev, startDev } from '../support/dev.js';
import { request, requestJson } from '../support/http.js';

const PAGE = { headers: { accept: 'text/html,application/xhtml+xml' } };

function edit(file: string, from: string, to: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}

test('clutch dev prints one block, and for an edit one line once the old process is gone', async (t) => {
  const dir = await helloApp(t, 'js');
  const { url, output, printed, stop } = await startDev(t, dir);
  const block = await printed('Ctrl-C ends it\n');
  assert.match(
    block,
    /^\nmy-app started on http:\/\/127\.0\.0\.1:\d+ in \d+ ms\n {2}2 routes, 1 app worker \(pid \d+\), Agent \(pid \d+\)\n {2}plugins on: .*security.*\n {2}admin page: http:\/\/127\.0\.0\.1:\d+\n {2}Ctrl-C ends it\n\n/,
  );
  const old = Number(/1 app worker \(pid (\d+)\)/.exec(block)?.[1]);
  edit(path.join(dir, 'app/controller/home.js'), 'Hello from Clutch', 'Hello again');
  const text = await printed(/replaced app worker/);
  assert.equal(isAlive(old), false);
  const line = /^\d\d:\d\d:\d\d app\/controller\/home\.js: replaced app worker (\d+) → (\d+) in \d+ ms$/m.exec(text);
  assert.equal(Number(line?.[1]), old, text);
  assert.equal(isAlive(Number(line?.[2])), true);
  assert.match((await request(url)).body, /Hello again/);
  assert.equal(await stop(), 0);
  assert.doesNotMatch(output(), /\[master\]|\[development\]/);
});

test('clutch dev prints the link of the admin page, which outlives the start; two sessions have one each', async (t) => {
  const sessions = await Promise.all(
    [1, 2].map(async () => {
      const dev = await startDev(t, await helloApp(t, 'js'));
      return { ...dev, page: /admin page: (\S+)/.exec(await dev.printed('Ctrl-C ends it\n'))?.[1] as string };
    }),
  );
  assert.notEqual(sessions[0]?.page, sessions[1]?.page);
  for (const { page, url, child } of sessions) {
    assert.match((await request(page)).body, /<title>Clutch<\/title>/);
    const { app, cluster } = await requestJson<Views['now']>(`${page}/api/views/now`);
    assert.deepEqual([app.name, cluster.address], ['my-app', url]);
    assert.notEqual(app.pid, child.pid);
  }
});

test('an edit that does not start is shown with its line; data is served by the old code, pages show the error', async (t) => {
  const dir = await helloApp(t, 'js');
  const { url, printed } = await startDev(t, dir);
  const file = path.join(dir, 'app/controller/home.js');
  appendFileSync(file, 'const broken = ;\n');
  const text = await printed(/still serving the version of \d\d:\d\d:\d\d/);
  assert.match(text, /app\/controller\/home\.js: the new code does not start\n {2}ERR_CLUTCH_MODULE: load file: .*\n/);
  assert.match(text, /home\.js:15:16\n(?: +14 \|.*\n)? +> 15 \| const broken = ;\n +\| {16}\^\n/);
  assert.match((await request(url)).body, /Hello from Clutch/);
  const page = await until('pages show the error', async () => {
    const response = await request(url, PAGE);
    return response.status === 500 && response;
  });
  assert.match(page.body, /The new code does not start[\s\S]*const broken = ;[\s\S]*still serves the version of/);
  edit(file, 'const broken = ;\n', '');
  await printed(/replaced app worker/);
  await until('pages are those of the app', async () => (await request(url, PAGE)).status === 200);
});

test('an app that does not start waits for the next save, and its port shows the error', async (t) => {
  const dir = await helloApp(t, 'js');
  const file = path.join(dir, 'app.js');
  appendFileSync(file, "throw new Error('not yet');\n");
  const { printed } = runDev(t, dir, []);
  const text = await printed(/waiting for a save; (\S+) shows the error/);
  const [, url = ''] = /waiting for a save; (\S+) shows/.exec(text) ?? [];
  assert.match(text, /the app does not start\n {2}ERR_CLUTCH_MODULE: .*not yet\n {4}\S*app\.js:\d+:7\n/);
  const page = await request(url, PAGE);
  assert.equal(page.status, 500);
  assert.match(page.body, /The app does not start[\s\S]*not yet/);
  assert.match((await request(url)).body, /^The app does not start\n\n.*not yet/);
  edit(file, "throw new Error('not yet');\n", '');
  await printed(/app\.js saved, starting\n/);
  const served = await printed(/started on (\S+) in/);
  assert.match((await request(/started on (\S+) in/.exec(served)?.[1] as string)).body, /Hello from Clutch/);
});

test('type errors come late, with their line, and as a page that one can leave', async (t) => {
  const dir = await helloApp(t, 'ts');
  const { url, printed } = await startDev(t, dir);
  const file = path.join(dir, 'app/controller/home.ts');
  appendFileSync(file, "const wrong: number = 'text';\n");
  await printed(/replaced app worker/);
  const text = await printed(/1 type error \(\d+\.\d s\)\n.*\n.*\n.*\n.*\^/);
  assert.match(
    text,
    /home\.ts:15:7 TS2322: Type 'string' is not assignable to type 'number'\.\n(?:.*\n)? *> 15 \| const wrong/,
  );
  assert.match((await request(url)).body, /Hello from Clutch/);
  const page = await until('pages show it', async () => {
    const response = await request(url, PAGE);
    return response.status === 500 && response;
  });
  assert.match(page.body, /1 type error[\s\S]*TS2322[\s\S]*The app runs\./);
  const [, cookie = ''] = /document\.cookie='([^;]+);/.exec(page.body) ?? [];
  assert.equal((await request(url, { headers: { ...PAGE.headers, cookie } })).status, 200);
  edit(file, "const wrong: number = 'text';\n", '');
  await printed('no type errors');
  await until('pages are those of the app', async () => (await request(url, PAGE)).status === 200);
});

test('the frames of a TypeScript app are true', async (t) => {
  const dir = await helloApp(t, 'ts');
  edit(
    path.join(dir, 'app/controller/home.ts'),
    'this.ctx.body = {',
    "if (this.ctx.query.fail) throw new Error('mine');\n    this.ctx.body = {",
  );
  const { url } = await startDev(t, dir);
  const { body } = await request(`${url}/?fail=1`, { headers: { accept: 'application/json' } });
  const frames = (JSON.parse(body) as { stack: string }).stack.split('\n').slice(1);
  assert.match(frames[0] as string, /app\/controller\/home\.ts:6:\d+\)?$/);
  assert.ok(
    frames.some((frame) => /app\/middleware\/powered_by\.ts:6:\d+\)?$/.test(frame)),
    body,
  );
  assert.ok(frames.every((frame) => !frame.includes('chunk')));
});

test('an app of Egg that says egg.typescript is TypeScript, without a tsconfig.json too', async (t) => {
  const dir = await helloApp(t, 'ts');
  rmSync(path.join(dir, 'tsconfig.json'));
  const file = path.join(dir, 'package.json');
  const pkg = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...pkg, egg: { typescript: true } }));
  const { url } = await startDev(t, dir);
  assert.equal((await request(url)).status, 200);
});

test('a port that is taken: the next one without --port, an end in two lines with it', async (t) => {
  const dir = await helloApp(t, 'js');
  const server = net.createServer().listen(0);
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const strict = runDev(t, dir, ['--port', String(port)]);
  const code = await new Promise((resolve) => strict.child.once('close', resolve));
  assert.equal(code, 1);
  const lines = strict
    .output()
    .split('\n')
    .filter((line) => line !== '' && !line.includes(' closes'));
  assert.equal(lines.length, 2, strict.output());
  assert.match(
    lines[0] as string,
    new RegExp(`^ERR_CLUTCH_BOOT: port ${port} is already used by .*, pid ${process.pid} `),
  );
  writeFileSync(path.join(dir, 'config/config.local.js'), `export default { cluster: { listen: { port: ${port} } } };`);
  const { url, output } = await startDev(t, dir, []);
  assert.match(output(), new RegExp(`port ${port} is used by .*, pid ${process.pid}, taking \\d+\n`));
  assert.notEqual(new URL(url).port, String(port));
});

test('clutch start beside clutch dev of the same directory is refused: commands would reach one of them only', async (t) => {
  const dir = await helloApp(t, 'js');
  const { url, printed } = await startDev(t, dir);
  await printed('Ctrl-C ends it\n');
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const started = promisify(execFile)(process.execPath, [CLI, 'start', dir, '--daemon', '--port', '0'], { env });
  await assert.rejects(started, (error: { code: number; stderr: string }) => {
    assert.equal(error.code, 4, error.stderr);
    assert.match(error.stderr, /ERR_CLUTCH_RUNNING: this app is running already, pid \d+/);
    return true;
  });
  assert.equal((await request(url)).status, 200);
});

test('clutch stop ends clutch dev as well', async (t) => {
  const dir = await helloApp(t, 'js');
  const { child, output, printed } = await startDev(t, dir);
  await printed('Ctrl-C ends it\n');
  const ended = once(child, 'exit');
  await promisify(execFile)(process.execPath, [CLI, 'stop', dir]);
  assert.deepEqual(await ended, [0, null], output());
  assert.doesNotMatch(output(), /does not start|waiting for a save/);
  assert.match(output(), /stopped, as the Master was asked to/);
});

test('when clutch dev is killed, no process is left', async (t) => {
  const dir = await helloApp(t, 'js');
  const { child, output } = await startDev(t, dir);
  const pids = [...output().matchAll(/\(pid (\d+)\)/g)].map(([, pid]) => Number(pid));
  assert.equal(pids.length, 2);
  child.kill('SIGKILL');
  await until('they have ended', () => pids.every((pid) => !isAlive(pid)), 20_000);
});

test('a save while the app still boots is reported with its file and what was replaced', async (t) => {
  const dir = await helloApp(t, 'js');
  const file = path.join(dir, 'app/controller/home.js');
  // The app worker is ready only once the Agent has asked for the reload.
  writeFileSync(
    path.join(dir, 'agent.js'),
    `import { writeFileSync } from 'node:fs';
    export default (agent) => {
      const { messenger } = agent;
      const { send } = messenger;
      messenger.send = function (action, ...rest) {
        if (action === 'reload-worker') writeFileSync('asked', '');
        return send.call(this, action, ...rest);
      };
    };`,
  );
  writeFileSync(
    path.join(dir, 'app.js'),
    `import { existsSync, writeFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    export default class Boot {
      async didLoad() {
        writeFileSync('boots', '');
        while (!existsSync('asked')) await sleep(10);
      }
    }`,
  );
  const { printed } = runDev(t, dir);
  await until('the app worker boots', () => existsSync(path.join(dir, 'boots')), 20_000);
  edit(file, 'Hello from Clutch', 'Hello again');
  const text = await printed(/^\d\d:\d\d:\d\d .* in \d+ ms$/m);
  assert.match(
    text,
    /^\d\d:\d\d:\d\d app\/controller\/home\.js: (?:replaced app worker \d+ → \d+|the new code is served) in \d+ ms$/m,
  );
  await until('the edit is served', async () => {
    const url = /started on (\S+)/.exec(await printed(/started on \S+/))?.[1] as string;
    return (await request(url)).body.includes('Hello again');
  });
});
