import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, copyFixture, fixture, isAlive, ROOT, temporaryDirectory, until } from '../support/apps.js';
import { helloApp, startDev } from '../support/dev.js';
import { request, requestJson } from '../support/http.js';

const run = promisify(execFile);

interface Outcome {
  code: number;
  output: string;
}

async function clutch(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Outcome> {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, ...options.env };
  try {
    const { stdout, stderr } = await run(process.execPath, [CLI, ...args], { ...options, env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

for (const language of ['ts', 'js'] as const) {
  test(`an edit of a .${language} app is served by clutch dev without a restart`, async (t) => {
    const dir = await helloApp(t, language);
    const { url, child, output } = await startDev(t, dir);
    await until('the Agent has greeted', async () => {
      const { greetings } = await requestJson<{ greetings: string[] }>(url);
      return greetings.length === 1;
    });
    const controller = path.join(dir, `app/controller/home.${language}`);
    const source = readFileSync(controller, 'utf8');
    writeFileSync(controller, source.replace('Hello from Clutch', 'Hello again'));
    await until('the edit is served', async () => (await request(url)).body.includes('Hello again'));
    writeFileSync(controller, 'this is not a program');
    await until('the error is shown', () => output().includes('the new code does not start'));
    assert.equal((await request(url)).status, 200);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });
}

test('W27: an edit of agent.js is in use without a restart of clutch dev', async (t) => {
  const dir = copyFixture(t, 'faulty');
  const { url } = await startDev(t, dir);
  const file = path.join(dir, 'agent.js');
  writeFileSync(file, readFileSync(file, 'utf8').replace("'agent:pong', process.pid", "'agent:pong', 'edited'"));
  await until('the new Agent answers', async () => {
    const { agent } = await requestJson<{ agent: unknown }>(`${url}/agent`);
    return agent === 'edited';
  });
});

test('clutch dev listens where the config of the app says', async (t) => {
  const dir = await helloApp(t, 'js');
  const port = 20_000 + (process.pid % 10_000);
  const text = `export default { cluster: { listen: { port: ${port} } } };`;
  writeFileSync(path.join(dir, 'config/config.local.js'), text);
  const { url } = await startDev(t, dir, []);
  assert.equal(new URL(url).port, String(port));
});

test('in development the stack of an error names the files of Clutch as one finds them in the repository', async (t) => {
  const dir = await helloApp(t, 'js');
  writeFileSync(
    path.join(dir, 'app/router.js'),
    `export default (app) => app.get('/', () => { throw new Error('mine'); });`,
  );
  const { url } = await startDev(t, dir);
  const { body } = await request(url, { headers: { accept: 'application/json' } });
  const { stack } = JSON.parse(body) as { stack: string };
  assert.match(stack, /Error: mine\n +at .*app\/router\.js:1:/);
  assert.match(stack, /core\/router\/\w+\.ts:\d+:\d+/);
  assert.doesNotMatch(stack, /dist\/chunks/);
});

test('clutch types makes services, config, controllers, extends and middleware typed, and wrong use fails', async (t) => {
  const dir = await helloApp(t, 'ts');
  mkdirSync(path.join(dir, 'app/extend'));
  mkdirSync(path.join(dir, 'app/service/shop'));
  writeFileSync(path.join(dir, 'app/extend/context.ts'), 'export default { get lucky(): number { return 7; } };');
  writeFileSync(
    path.join(dir, 'app/extend/helper.ts'),
    'export default { shout(text: string): string { return text; } };',
  );
  writeFileSync(
    path.join(dir, 'app/service/shop/cart_item.ts'),
    "import { Service } from 'koa-clutch'; export default class extends Service { total(): number { return 1; } }",
  );
  writeFileSync(
    path.join(dir, 'app/uses.ts'),
    `import type { Context } from 'koa-clutch';
export async function right(ctx: Context): Promise<unknown[]> {
  const name: string | undefined = (await ctx.service.user.find('1'))?.name;
  const total: number = ctx.service.shop.cartItem.total();
  const powered: string = ctx.app.config.poweredBy.name;
  const lucky: number = ctx.lucky;
  const loud: string = ctx.helper.shout('a');
  await ctx.app.controller.home.index(ctx);
  const middleware = ctx.app.middlewares.poweredBy({ name: 'x' });
  return [name, total, powered, lucky, loud, middleware];
}
`,
  );
  assert.equal((await clutch(['types', dir])).code, 0);
  const check = () =>
    run(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '--noEmit'], { cwd: dir });
  await check();
  writeFileSync(
    path.join(dir, 'app/wrong.ts'),
    `import type { Context } from 'koa-clutch';
export const wrong = (ctx: Context) => [
  ctx.service.usr,
  ctx.service.user.find(1),
  ctx.service.shop.cartItem.sum(),
  ctx.app.config.poweredBy.nome,
  ctx.app.controller.home.indx,
  ctx.helper.whisper('a'),
];
`,
  );
  await assert.rejects(check, ({ stdout }: { stdout: string }) => {
    const lines = [...stdout.matchAll(/app\/wrong\.ts\((\d+),/g)].map(([, line]) => Number(line));
    assert.deepEqual(lines, [3, 4, 5, 6, 7, 8], stdout);
    return true;
  });
});

for (const [command, pattern] of [
  [['config', 'hello.greeting'], /hello\.greeting = "hello from plugin" {2}plugin\/config\/config\.default\.js/],
  [['config', 'keys'], /keys = "<String len: 14>"/],
  [['plugins'], /\d+\s+hello\s+plugin\s+on in config\/plugin\.js/],
  [['middleware'], /\d+\s+answer\s+on\s+app\/middleware\/answer\.js/],
  [['routes'], /GET\s+\/users\/:id\s+user\s+app\/controller\/home\.js#HomeController\.user\(\)/],
] as const) {
  test(`clutch ${command.join(' ')} explains the app without starting it`, async () => {
    const text = await clutch([...command], { cwd: fixture('egg-app') });
    assert.equal(text.code, 0, text.output);
    assert.match(text.output, pattern);
    const json = await clutch([...command, '--json'], { cwd: fixture('egg-app') });
    assert.ok(Array.isArray(JSON.parse(json.output)));
  });
}

test('clutch config shows what another env would have, and knows unknown keys', async () => {
  const cwd = fixture('egg-app');
  assert.match((await clutch(['config', 'env', '--env', 'prod'], { cwd })).output, /env = "prod"/);
  const unknown = await clutch(['config', 'nope'], { cwd });
  assert.equal(unknown.code, 2);
  assert.match(unknown.output, /there is no config key "nope"/);
});

test('clutch init refuses a directory that holds something, and writes nothing', async (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(path.join(dir, 'notes.txt'), 'mine');
  const { code, output } = await clutch(['init', dir]);
  assert.equal(code, 2);
  assert.match(output, /ERR_CLUTCH_CLI: .* is not empty/);
  assert.match(output, /notes\.txt/);
  assert.deepEqual(readdirSync(dir), ['notes.txt']);
});

test('clutch start runs compiled TypeScript, and says what to do when it is not compiled', async (t) => {
  const dir = await helloApp(t, 'ts');
  const home = temporaryDirectory(t);
  const env = { EGG_HOME: home, NODE_ENV: undefined };
  if (!(process.features as { typescript?: unknown }).typescript) {
    const early = await clutch(['start', dir, '--daemon', '--port', '0'], { env });
    assert.equal(early.code, 1);
    assert.match(early.output, /ERR_CLUTCH_NOT_COMPILED/);
    assert.match(early.output, /npm run build/);
  }
  await run(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd: dir });
  const started = await clutch(['start', dir, '--daemon', '--port', '0', '--workers', '1'], { env });
  assert.equal(started.code, 0, started.output);
  const [, url, pid] = /started on (\S+), pid (\d+)/.exec(started.output) ?? [];
  t.after(() => clutch(['stop', dir]));
  assert.equal((await requestJson<{ message: string }>(url as string)).message, 'Hello from Clutch');
  assert.equal(readFileSync(path.join(dir, 'run/clutch.pid'), 'utf8'), pid);
  const stopped = await clutch(['stop', dir]);
  assert.equal(stopped.code, 0);
  assert.equal(isAlive(Number(pid)), false);
});

test('W15: clutch start --daemon returns when the app answers, and clutch stop when no process is left', async (t) => {
  const dir = copyFixture(t, 'egg-app');
  const home = temporaryDirectory(t);
  const env = { EGG_HOME: home, NODE_ENV: undefined };
  t.after(() => clutch(['stop', dir]));
  const { code, output } = await clutch(['start', dir, '--daemon', '--port', '0', '--workers', '2'], { env });
  assert.equal(code, 0, output);
  const [, url, master] = /started on (\S+), pid (\d+)/.exec(output) ?? [];
  const { pid } = await requestJson<{ pid: number }>(url as string);
  const { agent } = await requestJson<{ agent: number }>(`${url}/agent`);
  const again = await clutch(['start', dir, '--daemon', '--port', '0'], { env });
  assert.equal(again.code, 4);
  assert.match(again.output, /is running already, pid \d+/);
  assert.match(readFileSync(path.join(home, 'logs/egg-app/master-stdout.log'), 'utf8'), /started on/);
  const stopped = await clutch(['stop', dir]);
  assert.equal(stopped.code, 0);
  for (const one of [Number(master), pid, agent]) assert.equal(isAlive(one), false);
  const nothing = await clutch(['stop', dir]);
  assert.equal(nothing.code, 0);
  assert.match(nothing.output, /no app of Clutch is running/);
});

test('clutch stop and start leave another program alone whose pid a stale file has', async (t) => {
  const dir = copyFixture(t, 'egg-app');
  const other = spawn(process.execPath, ['-e', "console.log('up'); setInterval(() => undefined, 1000)", 'clutch'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => other.kill('SIGKILL'));
  await once(other.stdout, 'data');
  mkdirSync(path.join(dir, 'run'), { recursive: true });
  writeFileSync(path.join(dir, 'run/clutch.pid'), String(other.pid));
  const stopped = await clutch(['stop', dir]);
  assert.equal(stopped.code, 0);
  assert.match(stopped.output, /no app of Clutch is running/);
  assert.equal(isAlive(other.pid as number), true);
  writeFileSync(path.join(dir, 'run/clutch.pid'), String(other.pid));
  const started = await clutch(['start', dir, '--daemon', '--port', '0', '--workers', '1'], { env: { EGG_HOME: dir } });
  const ended = await clutch(['stop', dir]);
  assert.equal(started.code, 0, started.output);
  assert.match(ended.output, /stopped/);
});

test('W15: clutch start --daemon prints the error of a boot that fails and exits with 1', async (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "broken" }');
  writeFileSync(path.join(dir, 'app.js'), `throw new Error('no database');`);
  const { code, output } = await clutch(['start', dir, '--daemon', '--port', '0'], { env: { EGG_HOME: dir } });
  assert.equal(code, 1);
  assert.match(output, /no database/);
  assert.match(output, /app\.js/);
});

test('no command crashes when nobody reads its output any more; one that prints without an end, ends', async (t) => {
  const dir = await helloApp(t, 'js');
  const logs = path.join(dir, 'logs/my-app');
  mkdirSync(logs, { recursive: true });
  const lines = Array.from({ length: 40 }, (_, second) => `2026-01-02 03:04:${10 + second},000 INFO 1 line\n`);
  writeFileSync(path.join(logs, 'my-app-web.log'), lines.join(''));
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const ends = async (args: string[]): Promise<void> => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    child.stdout.destroy();
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
    const [code] = await once(child, 'close');
    assert.deepEqual([args, code, errors], [args, 0, '']);
  };
  const commands = [
    [],
    ['--help'],
    ['routes', '--help'],
    ['--version'],
    ['completion', 'bash'],
    ['routes'],
    ['config', '--json'],
  ];
  for (const args of [...commands, ['logs'], ['logs', '--follow'], ['generate', 'service', 'cart']]) await ends(args);
  assert.match(readFileSync(path.join(dir, 'app/service/cart.js'), 'utf8'), /class/);
  const dev = spawn(process.execPath, [CLI, 'dev', '--port', '0'], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => dev.kill('SIGKILL'));
  dev.stdout.destroy();
  assert.deepEqual(await once(dev, 'exit'), [0, null]);
});
