import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { CLI, ROOT, temporaryDirectory, until } from '../../support/apps.js';
import { freePort, request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

/** What systemd does: opens a socket, and gives it to the program as descriptor 3. */
const SYSTEMD = `import os, socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(16)
print('port', listener.getsockname()[1], flush=True)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[1], sys.argv[1:])`;

const skip = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

async function activate(
  t: TestContext,
  flags: readonly string[],
): Promise<{ port: number; stop(): Promise<number | null> }> {
  const dir = writeApp(t, {
    'app/router.js': "module.exports = ({ router }) => { router.get('/', (ctx) => { ctx.body = process.env; }); };",
  });
  const args = [
    '-c',
    SYSTEMD,
    process.execPath,
    CLI,
    'start',
    dir,
    ...(flags[0] === '--workers' ? [] : ['--workers', '1']),
    ...flags,
  ];
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, EGG_HOME: temporaryDirectory(t) };
  const child = spawn('python3', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  const exited = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  await until('it is started', () => output.includes('started on'));
  return {
    port: Number(/port (\d+)/.exec(output)?.[1]),
    stop: async () => {
      child.kill('SIGTERM');
      return (await exited)[0] as number | null;
    },
  };
}

for (const flags of [[], ['--sticky'], ['--scheduling', 'shared'], ['--workers', '0']]) {
  test(`systemd's socket is the port of the app (${flags.join(' ')})`, { skip }, async (t) => {
    const { port, stop } = await activate(t, flags);
    const { status, body } = await request(`http://127.0.0.1:${port}/`);
    assert.equal(status, 200);
    assert.doesNotMatch(body, /LISTEN_FDS/);
    assert.equal(await stop(), 0);
    await assert.rejects(request(`http://127.0.0.1:${port}/`), { code: 'ECONNREFUSED' });
  });
}

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

test('systemd-socket-activate starts the app with the first connection, which is served', {
  skip: has('systemd-socket-activate') ? false : 'systemd-socket-activate is not installed',
}, async (t) => {
  const dir = writeApp(t, {
    'app/router.js': "module.exports = ({ router }) => { router.get('/', (ctx) => { ctx.body = 'served'; }); };",
  });
  for (const workers of ['1', '0']) {
    const port = await freePort();
    const program = [process.execPath, CLI, 'start', dir, '--workers', workers];
    const variables = ['PATH', 'HOME', 'EGG_HOME'].flatMap((name) => ['-E', name]);
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, EGG_HOME: temporaryDirectory(t) };
    const child = spawn('systemd-socket-activate', ['-l', String(port), ...variables, ...program], {
      env,
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    let output = '';
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    await until('it listens', () => /Listening on/.test(output));
    assert.equal((await request(`http://127.0.0.1:${port}/`)).body, 'served');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  }
});

test('systemd accepts the units of the template', {
  skip: has('systemd-analyze') ? false : 'systemd-analyze is not installed',
}, (t) => {
  for (const language of ['js', 'ts']) {
    const unit = readFileSync(path.join(ROOT, 'app-template', language, 'deploy/app.service'), 'utf8')
      .replaceAll('{{name}}', 'shop')
      .replace('/usr/bin/node', process.execPath);
    const file = path.join(temporaryDirectory(t), 'shop.service');
    writeFileSync(file, unit);
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  }
});
