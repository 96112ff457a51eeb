// What `config.asyncContext` costs a request: `node bench/async_context.mjs`, or `npx -y -p node@24 node bench/async_context.mjs`.
// One process and no network: requests arrive through a stream in memory. Each round starts a fresh process for either value.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROUNDS = 5;
const ROUTES = { plain: 0, 'ten awaits': 10 };
const dist = new URL('../dist/index.js', import.meta.url).href;

const MEASURE = `
import { Duplex } from 'node:stream';
import http from 'node:http';
import { Application } from '${dist}';
const [baseDir, awaits] = process.argv.slice(1);
const app = new Application({ baseDir, env: 'prod', mode: 'single' });
app.get('/', async (ctx) => {
  for (let i = 0; i < Number(awaits); i += 1) await null;
  ctx.body = { hello: 'world' };
});
await app.ready();
const server = http.createServer(app.serverOptions, app.callback());
const REQUEST = Buffer.from('GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n');
let answer = () => {};
const connection = new Duplex({ read() {}, write(_chunk, _encoding, done) { done(); answer(); } });
Object.assign(connection, { setTimeout() {}, setNoDelay() {}, setKeepAlive() {}, remoteAddress: '127.0.0.1' });
server.emit('connection', connection);
const run = (requests) => new Promise((resolve) => {
  let left = requests;
  answer = () => { left -= 1; if (left > 0) setImmediate(() => connection.push(REQUEST)); else resolve(); };
  connection.push(REQUEST);
});
await run(30_000);
const begin = process.cpuUsage();
await run(60_000);
const { user, system } = process.cpuUsage(begin);
console.log((user + system) / 60_000);
process.exit(0);
`;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const base = mkdtempSync(path.join(tmpdir(), 'clutch-bench-'));
writeFileSync(path.join(base, 'package.json'), '{ "name": "bench" }');

function measure(asyncContext, awaits) {
  const config = { keys: 'k', asyncContext, logger: { dir: base } };
  const env = { ...process.env, EGG_APP_CONFIG: JSON.stringify(config) };
  const args = ['--input-type=module', '-e', MEASURE, base, String(awaits)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  if (!stdout.trim()) throw new Error(stderr);
  return Number(stdout);
}

console.log(`Node ${process.version}, median of ${ROUNDS} processes each, µs of processor time per request\n`);
console.log('| handler | asyncContext: false | true | cost |');
console.log('|---|---|---|---|');
for (const [name, awaits] of Object.entries(ROUTES)) {
  const off = [];
  const on = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    off.push(measure(false, awaits));
    on.push(measure(true, awaits));
  }
  const cost = median(on) / median(off) - 1;
  console.log(
    `| ${name} | ${median(off).toFixed(2)} | ${median(on).toFixed(2)} | ${cost >= 0 ? '+' : ''}${(cost * 100).toFixed(0)} % |`,
  );
}
rmSync(base, { recursive: true, force: true });
