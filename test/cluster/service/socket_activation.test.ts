import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { CLI, temporaryDirectory, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
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

async function activate(t: TestContext, flags: string[]): Promise<{ port: number; stop(): Promise<number | null> }> {
  const dir = writeApp(t, {
    'app/router.js': "module.exports = ({ router }) => { router.get('/', (ctx) => { ctx.body = process.env; }); };",
  });
  const args = ['-c', SYSTEMD, process.execPath, CLI, 'start', dir, '--workers', '1', ...flags];
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

for (const flags of [[], ['--sticky'], ['--scheduling', 'shared']]) {
  test(`systemd's socket is the port of the app (${flags.join(' ')})`, { skip }, async (t) => {
    const { port, stop } = await activate(t, flags);
    const { status, body } = await request(`http://127.0.0.1:${port}/`);
    assert.equal(status, 200);
    assert.doesNotMatch(body, /LISTEN_FDS/);
    assert.equal(await stop(), 0);
    await assert.rejects(request(`http://127.0.0.1:${port}/`), { code: 'ECONNREFUSED' });
  });
}
