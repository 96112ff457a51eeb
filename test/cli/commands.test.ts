import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, ROOT, temporaryDirectory, until } from '../support/apps.js';
import { helloApp, scaffold } from '../support/dev.js';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';

const run = promisify(execFile);

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

async function clutch(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const all = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, ...env };
  try {
    return { code: 0, ...(await run(process.execPath, [CLI, ...args], { env: all })) };
  } catch (error) {
    return error as Outcome;
  }
}

/** A daemon in a home of its own. */
async function startDaemon(t: TestContext, flags: string[] = []) {
  // Before the directories go, through which it is found.
  t.after(() => command('stop'));
  const home = temporaryDirectory(t);
  const dir = writeApp(t, {
    'app/router.js': `module.exports = (app) => app.get('/', (ctx) => {
      ctx.logger.info('was here');
      ctx.body = { pid: process.pid, execArgv: process.execArgv };
    });`,
  });
  const command = (...args: string[]): Promise<Outcome> => clutch([...args, dir], { EGG_HOME: home });
  const { stdout, stderr } = await command('start', '--daemon', '--port', '0', '--workers', '1', ...flags);
  const [, url = ''] = /started on (\S+), pid/.exec(stdout) ?? [];
  assert.ok(url, stdout + stderr);
  return { home, dir, url, command };
}

test('list, set, logs and restart: a daemon seen and changed from outside', async (t) => {
  const { dir, url, command } = await startDaemon(t, ['--node-options', '--max-old-space-size=300']);
  const [app] = JSON.parse((await command('list', '--json')).stdout) as {
    directory: string;
    pid: number;
    address: string;
  }[];
  assert.deepEqual([app?.directory, app?.address], [dir, url]);
  const { execArgv } = JSON.parse((await request(url)).body) as { execArgv: string[] };
  assert.ok(execArgv.includes('--max-old-space-size=300'));

  assert.equal((await command('set', 'maxMemory=900')).stdout, 'maxMemory  0 → 900  at once\n');
  const wrong = await command('set', 'port=80');
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /^ERR_CLUTCH_OPTION: option port cannot be changed.*\n.*maxMemory, .*hangTimeout.* can be changed/,
  );

  await until('the line is in the log', async () => {
    const { stdout } = await command('logs', '-n', '20');
    return /\[master\] .*started on/.test(stdout) && /INFO \d+ .*was here/.test(stdout);
  });
  const entries = async (
    ...flags: string[]
  ): Promise<{ pid: number; level: string; text: string; traceId?: string }[]> =>
    (await command('logs', '--json', ...flags)).stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const [last] = (await entries('--process', 'worker')).filter(({ text }) => /was here/.test(text));
  assert.equal(last?.level, 'INFO');
  assert.ok(
    (await entries('--process', 'master')).every(({ text, pid }) => /^\[master\]/.test(text) && pid === app?.pid),
  );
  assert.ok((await entries('--process', String(last?.pid))).every(({ pid }) => pid === last?.pid));
  assert.deepEqual(await entries('--level', 'error'), []);
  assert.deepEqual(await entries('--trace', 'another'), []);
  assert.equal((await command('logs', '--process', 'workers')).code, 2);
  const follow = spawn(process.execPath, [CLI, 'logs', '-f', '-n', '0', dir], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => follow.kill());
  let followed = '';
  follow.stdout.on('data', (chunk: Buffer) => (followed += String(chunk)));
  await until(
    'a new line is followed',
    async () => {
      await request(url);
      return /was here/.test(followed);
    },
    20_000,
  );

  const restarted = await command('restart');
  assert.match(restarted.stdout, new RegExp(`^stopped, pid ${app?.pid}\n.*started on (\\S+), pid \\d+\n$`));
  const [again] = JSON.parse((await command('list', '--json')).stdout) as { pid: number }[];
  assert.notEqual(again?.pid, app?.pid);
  await command('stop');
  assert.equal((await command('list')).stdout, 'no app of Clutch is running\n');
  assert.equal((await command('restart')).code, 3);
});

test('boot prints what the last boot waited for, with file and line of a hook', async (t) => {
  const { dir, command } = await startDaemon(t);
  await command('stop');
  writeFileSync(
    path.join(dir, 'app.js'),
    'module.exports = class {\n  async didLoad() {\n    await new Promise((resolve) => setTimeout(resolve, 150));\n  }\n};\n',
  );
  await command('start', '--daemon', '--port', '0', '--workers', '1');
  const text = await until('it is written', async () => {
    const { stdout } = await command('boot');
    return /didLoad .*app\.js:2$/m.test(stdout) && stdout;
  });
  assert.match(text, /^app worker \(pid \d+\) was ready after \d+ ms\n {2}@\d+ ms +\+1\d\d ms +didLoad +app\.js:2\n/m);
  const roles = (JSON.parse((await command('boot', '--json')).stdout) as { role: string }[]).map(({ role }) => role);
  assert.deepEqual(roles, ['Agent', 'app worker']);
});

test('a daemon whose hook hangs is ended after --timeout, and the hook named', async (t) => {
  const home = temporaryDirectory(t);
  const dir = writeApp(t, {
    'app.js': 'module.exports = class {\n  async didLoad() {\n    await new Promise(() => {});\n  }\n};\n',
  });
  const { code, stderr } = await clutch(['start', dir, '--daemon', '--port', '0', '--timeout', '3000'], {
    EGG_HOME: home,
  });
  assert.equal(code, 1);
  assert.match(stderr, /^ERR_CLUTCH_BOOT: the app was not ready within 3000 ms/);
  assert.match(stderr, /app\.js:2:9\n.*\n +> 2 \| {3}async didLoad\(\) \{\n/);
});

for (const flags of [[], ['--js']]) {
  test(`what clutch generate makes works in a ${flags.length > 0 ? 'JavaScript' : 'TypeScript'} app, and nothing is overwritten`, async (t) => {
    const dir = await scaffold(t, ...flags);
    const extension = flags.length > 0 ? 'js' : 'ts';
    for (const kind of ['controller', 'service', 'middleware', 'schedule', 'job', 'plugin']) {
      const { code, stdout, stderr } = await clutch(['generate', kind, 'shop/new_one', dir]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^made /);
    }
    assert.match(
      (await clutch(['generate', 'test', 'new_one', dir])).stdout,
      new RegExp(`made test/new_one\\.test\\.${extension}`),
    );
    const again = await clutch(['generate', 'service', 'shop/new_one', dir]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /exists already\n {2}Nothing was written/);
    const router = path.join(dir, `app/router.${extension}`);
    writeFileSync(
      router,
      readFileSync(router, 'utf8').replace("app.get('/',", "app.get('/new', 'shop.newOne.index');\n  app.get('/',"),
    );
    const plugins = path.join(dir, `config/plugin.${extension}`);
    writeFileSync(plugins, readFileSync(plugins, 'utf8').replace('  sqlite:', '  jobs: true,\n  sqlite:'));
    const types = extension === 'ts' ? await clutch(['build', dir]) : undefined;
    assert.equal(types?.code ?? 0, 0, types?.stdout);
    const { stdout } = await clutch(['routes', dir]);
    assert.match(stdout, /\/new .*shop\/new_one/);
    const tested = await clutch(['test', dir]);
    assert.match(tested.stdout, /pass 8\n/);
  });
}

test('clutch repl has app, ctx, service and await at its prompt', async (t) => {
  const dir = await helloApp(t, 'js');
  const child = spawn(process.execPath, [CLI, 'repl', dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  child.stdin.end("[app.name, ctx.app === app]\nawait service.user.find('1')\n");
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0);
  assert.match(output, /\[ 'my-app', true \]/);
  assert.match(output, /\{ id: '1', name: 'Ada' \}/);
});

for (const command of [['debug'], ['dev', '--inspect']])
  test(`clutch ${command.join(' ')} gives Agent and app worker an inspector each, and prints the links`, async (t) => {
    const dir = await helloApp(t, 'js');
    const child = spawn(process.execPath, [CLI, ...command, dir, '--port', '0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, EGG_AGENT_DEBUG_PORT: '0' },
    });
    t.after(() => child.kill());
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    const links = await until(
      'both links are printed',
      () => {
        const found = [...output.matchAll(/inspector of pid (\d+): ws:\/\/127\.0\.0\.1:(\d+)\/\S+/g)];
        return found.length >= 2 && /started on/.test(output) && found;
      },
      30_000,
    ).catch(() => assert.fail(output));
    assert.notEqual(links[0]?.[1], links[1]?.[1]);
    assert.notEqual(links[0]?.[2], links[1]?.[2]);
  });

test('clutch completion prints scripts that shells can read', async (t) => {
  const file = path.join(temporaryDirectory(t), 'completion.bash');
  writeFileSync(file, (await clutch(['completion', 'bash'])).stdout);
  const completed = async (line: string): Promise<string[]> => {
    const words = line.split(' ');
    const script = `source ${file}; COMP_WORDS=(${words.map((word) => `"${word}"`).join(' ')}); COMP_CWORD=${words.length - 1}; _clutch; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run('bash', ['-c', script], { cwd: ROOT })).stdout.trim().split('\n');
  };
  assert.deepEqual(await completed('clutch rou'), ['routes']);
  assert.ok((await completed('clutch start --da')).includes('--daemon'));
  assert.ok((await completed('clutch generate con')).includes('controller'));
  assert.match((await clutch(['completion', 'zsh'])).stdout, /^#compdef clutch/);
  assert.match((await clutch(['completion', 'fish'])).stdout, /complete -c clutch -n __fish_use_subcommand -a dev/);
});

test('every file that generate makes is where the conventions look', async (t) => {
  const dir = await helloApp(t, 'js');
  const { stdout } = await clutch(['generate', 'plugin', 'cache', dir, '--json']);
  const { files } = JSON.parse(stdout) as { files: string[] };
  assert.deepEqual(files, [
    'lib/plugin/cache/package.json',
    'lib/plugin/cache/app.js',
    'lib/plugin/cache/config/config.default.js',
  ]);
  assert.ok(files.every((file) => existsSync(path.join(dir, file))));
});
