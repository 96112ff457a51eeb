import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { writeApp } from '../../support/loaded_app.js';
import { CONTENT_TYPE, formBody } from './forms.js';

test('the files of an app worker that dies in the middle of an upload are removed', async (t) => {
  const tmpdir = path.join(temporaryDirectory(t), 'uploads');
  const baseDir = writeApp(t, {
    'config/config.default.js': `
      exports.keys = 'k';
      exports.security = { csrf: false };
      exports.multipart = { mode: 'file', tmpdir: ${JSON.stringify(tmpdir)} };`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 2 });
  const left = (): string[] =>
    existsSync(tmpdir)
      ? readdirSync(tmpdir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ name }) => name)
      : [];
  const socket = net.connect(Number(new URL(cluster.url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${CONTENT_TYPE}\r\nContent-Length: 99999\r\n\r\n`);
  socket.write(formBody([{ name: 'f', value: 'x'.repeat(9000), filename: 'f.js' }]).subarray(0, 5000));
  const [name] = await until('the upload has begun', () => left().length === 1 && left());
  const [, pid] = /^\w+-(\d+)-/.exec(name as string) ?? [];
  assert.ok((await cluster.pids()).workers.includes(Number(pid)));
  process.kill(Number(pid), 'SIGKILL');
  await until('the file is removed', () => left().length === 0);
});
