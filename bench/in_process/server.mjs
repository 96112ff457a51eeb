// One subject of measure.mjs: serves one route to requests from a stream. For each message `{ requests }` it serves so many and
// replies with the processor time of one in µs.
import { tracingChannel } from 'node:diagnostics_channel';
import http from 'node:http';
import { Duplex } from 'node:stream';

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
const { baseDir, raw = false, plugins = {}, awaits = 0, traced = [] } = JSON.parse(process.argv[2]);
const noop = () => {};
for (const name of traced) tracingChannel(`clutch:${name}`).subscribe({ start: noop, asyncEnd: noop });

function rawServer() {
  return http.createServer((_req, res) => {
    const text = JSON.stringify({ hello: 'world' });
    const length = Buffer.byteLength(text);
    res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': length });
    res.end(text);
  });
}

async function appServer() {
  const { Application } = await import('../../dist/index.js');
  const app = new Application({ baseDir, env: 'prod', mode: 'single', plugins });
  app.get('/', async (ctx) => {
    for (let i = 0; i < awaits; i += 1) await null;
    ctx.body = { hello: 'world' };
  });
  await app.ready();
  return http.createServer(app.serverOptions, app.callback());
}

const server = raw ? rawServer() : await appServer();
let onResponse = () => {};
const connection = new Duplex({
  read() {},
  write(_chunk, _encoding, done) {
    done();
    onResponse();
  },
});
Object.assign(connection, { setTimeout() {}, setNoDelay() {}, setKeepAlive() {}, remoteAddress: '127.0.0.1' });
server.emit('connection', connection);

const send = (count) =>
  new Promise((resolve) => {
    let left = count;
    onResponse = () => {
      left -= 1;
      if (left > 0) setImmediate(() => connection.push(REQUEST));
      else resolve();
    };
    connection.push(REQUEST);
  });

process.on('message', async ({ requests }) => {
  const begin = process.cpuUsage();
  await send(requests);
  const { user, system } = process.cpuUsage(begin);
  process.send((user + system) / requests);
});
process.on('disconnect', () => process.exit());
process.send('ready');
