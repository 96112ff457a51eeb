import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { load, startSubject } from '../http/harness.mjs';
import { table } from '../report.mjs';

const REQUESTS = 1_000_000;

/** The heap of a worker, collected, before and after a million requests. */
export async function growth({ scratch }) {
  const dir = path.join(scratch, 'growth');
  mkdirSync(path.join(dir, 'app'), { recursive: true });
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "growth" }');
  writeFileSync(
    path.join(dir, 'app/router.js'),
    `module.exports = ({ router }) => {
       router.get('/', async (ctx) => { ctx.body = { hello: 'world' }; });
       router.get('/api/users/:id', async (ctx) => { ctx.body = { id: ctx.params.id }; });
       router.get('/heap', async (ctx) => { gc(); gc(); ctx.body = String(process.memoryUsage().heapUsed); });
     };`,
  );
  const server = await startSubject('clutch with gc', { APP: dir, SCRATCH: scratch, EGG_HOME: scratch });
  try {
    // What is compiled and cached with the first requests is no growth.
    await load(server.port, { path: '/api/users/7', requests: REQUESTS / 10 });
    const before = await heap(server.port);
    await load(server.port, { path: '/api/users/7', requests: REQUESTS });
    const after = await heap(server.port);
    const mebibytes = (bytes) => (bytes / 1024 / 1024).toFixed(2);
    return {
      text: table(
        ['heap of a worker after', '100,000 requests', '1,100,000 requests', 'bytes a request'],
        [['clutch, MiB', mebibytes(before), mebibytes(after), ((after - before) / REQUESTS).toFixed(3)]],
      ),
      data: { before, after, requests: REQUESTS },
    };
  } finally {
    await server.stop();
  }
}

function heap(port) {
  return new Promise((resolve, reject) => {
    const req = http.get({ port, host: '127.0.0.1', path: '/heap', agent: false }, async (res) => {
      let text = '';
      for await (const chunk of res) text += chunk;
      resolve(Number(text));
    });
    req.on('error', reject);
  });
}
