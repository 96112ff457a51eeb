import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { ROOT, startTestCluster, temporaryDirectory } from '../../support/apps.js';
import { freePort, request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const ROUTER = `module.exports = ({ router }) => {
  router.get('/', (ctx) => { ctx.body = { version: ctx.req.httpVersion, host: ctx.host }; });
  router.get('/slow', async (ctx) => { await new Promise((done) => setTimeout(done, 500)); ctx.body = 'slow'; });
};`;
const TLS = { key: path.join(ROOT, 'test/fixtures/tls/key.pem'), cert: path.join(ROOT, 'test/fixtures/tls/cert.pem') };

async function get(session: http2.ClientHttp2Session, at: string): Promise<string> {
  const stream = session.request({ ':path': at });
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  assert.equal(headers[':status'], 200);
  let body = '';
  for await (const chunk of stream) body += String(chunk);
  return body;
}

test('listen: one app on a port, on a port with HTTP/2, and on a unix socket', async (t) => {
  const [plain, secure] = [await freePort(), await freePort()];
  const page = readFileSync(path.join(ROOT, 'docs/cluster.md'), 'utf8');
  const documented = JSON.parse(/(?<=^## Several addresses[\s\S]*?```json\n).*/m.exec(page)?.[0] ?? '').listen;
  const file = path.join(temporaryDirectory(t), 's');
  // That of the docs, with ports and files of the test.
  const given = [{ port: plain }, { port: secure, https: TLS }, { path: file }];
  const listen = given.map((each, index) => ({ ...documented[index], ...each }));
  const cluster = await startTestCluster(t, { baseDir: writeApp(t, { 'app/router.js': ROUTER }), listen });
  assert.equal(listen[1].http2, true);
  assert.equal(cluster.url, `http://127.0.0.1:${plain}`);
  assert.equal(JSON.parse((await request(cluster.url)).body).version, '1.1');

  const session = http2.connect(`https://localhost:${secure}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  assert.equal(JSON.parse(await get(session, '/')).version, '2.0');

  const old = tls.connect({ port: secure, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  old.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let response = '';
  for await (const chunk of old) response += String(chunk);
  assert.match(response, /^HTTP\/1.1 200[\s\S]*"version":"1.1"/);

  const local = await new Promise((resolve, reject) => {
    http.get({ socketPath: file, path: '/' }, (res) => resolve(res.resume().statusCode)).on('error', reject);
  });
  assert.equal(local, 200);

  // What is under way on a session is answered when the cluster stops.
  const slow = Promise.all([get(session, '/slow'), get(session, '/slow')]);
  await get(session, '/');
  assert.equal(await cluster.stop(), 0);
  assert.deepEqual(await slow, ['slow', 'slow']);
});
