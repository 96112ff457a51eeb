import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fixture, printed, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';

/** systemd's end of the socket: prints what comes, a message in a line. Node has no such sockets. */
const RECEIVER = `import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('bound', flush=True)
while True: print(receiver.recv(4096).decode().replace('\\n', ' '), flush=True)`;

const found = ['systemd-notify', 'python3'].every((program) => spawnSync(program, ['--version']).status === 0);
const skip = found ? false : 'systemd-notify or python3 is not installed';

async function receive(t: TestContext): Promise<{ file: string; text(): string }> {
  const file = path.join(temporaryDirectory(t), 'notify');
  const child = spawn('python3', ['-c', RECEIVER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  t.after(() => child.kill('SIGKILL'));
  await until('the receiver is bound', () => text.includes('bound'));
  return { file, text: () => text };
}

test('systemd is notified of ready, status, reload, its watchdog and the stop', { skip }, async (t) => {
  const { file, text } = await receive(t);
  const env = { NOTIFY_SOCKET: file, WATCHDOG_USEC: '300000' };
  const cluster = await startTestCluster(t, { baseDir: fixture('faulty'), workers: 2 }, env);
  const { pid } = cluster.child;
  await until('READY=1', () => text().includes(`READY=1 MAINPID=${pid}`));
  await until('the watchdog', () => text().split('WATCHDOG=1').length > 2);
  await until('STATUS', () => text().includes(`STATUS=2 of 2 app workers take requests on ${cluster.url}`));
  await cluster.reload();
  await until('ready again', () => /RELOADING=1 MONOTONIC_USEC=\d+\s[\s\S]*READY=1/.test(text()));
  assert.equal(await cluster.stop(), 0);
  assert.match(text(), /STOPPING=1/);
});

test('without systemd-notify the service runs, and one line says what is missing', async (t) => {
  const env = { NOTIFY_SOCKET: '/nowhere', PATH: temporaryDirectory(t) };
  const cluster = await startTestCluster(t, { baseDir: fixture('faulty'), workers: 1 }, env);
  await printed(cluster, /WARN .*systemd is not notified: the program systemd-notify is not installed/);
  const exited = once(cluster.child, 'exit');
  cluster.child.kill('SIGTERM');
  assert.equal((await exited)[0], 0);
  assert.equal(cluster.output().split('systemd is not notified').length, 2);
});
