import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { fixture, printed, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

function issue(dir: string, name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-days', '1'];
  const files = ['-keyout', path.join(dir, 'key.pem'), '-out', path.join(dir, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], { stdio: 'ignore' });
}

function connect(url: string): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port: Number(new URL(url).port), rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function nameOf(url: string): Promise<string> {
  const socket = await connect(url);
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

test('a renewed certificate is used without a reload, a broken one is not, and no connection is dropped', {
  skip,
}, async (t) => {
  const dir = temporaryDirectory(t);
  issue(dir, 'first');
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')];
  const cluster = await startTestCluster(t, { baseDir: fixture('faulty'), workers: 2, https: { key, cert } });
  assert.equal(await nameOf(cluster.url), 'first');
  const open = await connect(cluster.url);
  const { workers } = await cluster.pids();

  const good = readFileSync(cert, 'utf8');
  writeFileSync(cert, 'broken');
  await printed(cluster, /ERROR .*cannot be used, the old ones stay/);
  await printed(
    cluster,
    /ERR_CLUTCH_CONFIG: HTTPS cannot use the certificate: it is not PEM.*\n +\/.*cert\.pem, from option https\.cert.*\n +Put a PEM file/,
  );
  assert.equal(await nameOf(cluster.url), 'first');
  writeFileSync(cert, good);
  await printed(cluster, /keys and certificates have changed, and are used from now on/);

  issue(dir, 'second');
  await until('every worker has it', async () => {
    const names = await Promise.all([1, 2, 3, 4].map(() => nameOf(cluster.url)));
    return names.every((name) => name === 'second');
  });
  open.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let response = '';
  for await (const chunk of open) response += String(chunk);
  assert.match(response, /^HTTP\/1.1 200/);
  assert.deepEqual((await cluster.pids()).workers, workers);
});

test('files of no use: a reload is refused with option, file and way out, and the old workers and certificate stay', {
  skip,
}, async (t) => {
  const dir = temporaryDirectory(t);
  const other = temporaryDirectory(t);
  issue(dir, 'first');
  issue(other, 'other');
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')];
  const cluster = await startTestCluster(t, { baseDir: fixture('faulty'), workers: 1, https: { key, cert } });
  const { workers } = await cluster.pids();
  const [goodKey, goodCert] = [readFileSync(key), readFileSync(cert)];
  const damaged = '-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n';
  const broken = (text: string): void => writeFileSync(cert, text);
  for (const [damage, message] of [
    [() => broken(''), /HTTPS cannot use the certificate: it is empty.*cert\.pem, from option https\.cert/s],
    [() => broken(damaged), /HTTPS cannot use the certificate: error:.*cert\.pem, from option https\.cert.*Put a PEM/s],
    [() => rmSync(cert), /HTTPS cannot use the certificate: ENOENT.*cert\.pem, from option https\.cert/s],
    [() => writeFileSync(key, 'x'), /HTTPS cannot use the key: it is not PEM.*key\.pem, from option https\.key/s],
    [
      () => writeFileSync(key, readFileSync(path.join(other, 'key.pem'))),
      /the key is not that of the certificate.*key\.pem, from .*https\.key.*cert\.pem, from .*https\.cert.*Give the key/s,
    ],
  ] as const) {
    damage();
    await assert.rejects(cluster.reload(), message);
    assert.equal(await nameOf(cluster.url), 'first');
    assert.deepEqual((await cluster.pids()).workers, workers);
    writeFileSync(key, goodKey);
    writeFileSync(cert, goodCert);
  }
});
