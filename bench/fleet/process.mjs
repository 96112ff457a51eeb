// One machine of bench/fleet.mjs: node bench/fleet/process.mjs <fleet|redis|nats> <name> <port> <directory>; redis and nats are their clients used bare
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';

const [kind, name, port, dir] = process.argv.slice(2);
const clock = () => performance.timeOrigin + performance.now();
let expected = 0;
let got = 0;
let latencies = [];

function receive({ at }) {
  got += 1;
  latencies.push(clock() - at);
  if (got === expected) process.send({ received: latencies });
}

async function fleet() {
  const { start } = await import(pathToFileURL(path.join(dir, 'node_modules/koa-clutch/dist/index.js')));
  const { agent } = await start({ baseDir: dir });
  agent.messenger.fleet.on('bench', receive);
  const { fleet: messenger } = agent.messenger;
  return { send: (data) => messenger.broadcast('bench', data), flush: () => messenger.flush() };
}

/** What one would write with the client itself: publish, as many as are sent in one turn of the event loop in one pipeline. */
async function redis() {
  const url = `redis://127.0.0.1:${port}`;
  const [publisher, subscriber] = [new Redis(url, { enableAutoPipelining: true }), new Redis(url)];
  await subscriber.subscribe('bench');
  subscriber.on('message', (_channel, text) => receive(JSON.parse(text).data));
  let sent = [];
  return {
    send: (data) => sent.push(publisher.publish('bench', JSON.stringify({ action: 'bench', data }))),
    flush: async () => {
      await Promise.all(sent);
      sent = [];
    },
  };
}

/** The client gathers what is published at once by itself. */
async function nats() {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  connection.subscribe('bench', { callback: (_error, message) => receive(message.json().data) });
  await connection.flush();
  return {
    send: (data) => connection.publish('bench', JSON.stringify({ action: 'bench', data })),
    flush: () => connection.flush(),
  };
}

const link = await { fleet, redis, nats }[kind]();
process.on('message', async ({ expect, burst, paced }) => {
  if (expect) {
    expected = expect;
    got = 0;
    latencies = [];
    process.send({ expecting: true });
  }
  const padding = 'x'.repeat(80);
  if (burst) {
    for (let index = 1; index <= burst; index += 1) {
      link.send({ at: clock(), padding });
      if (index % 500 === 0) await link.flush();
    }
    await link.flush();
  }
  if (paced) {
    for (let index = 0; index < paced; index += 1) {
      link.send({ at: clock(), padding });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
});
process.send({ ready: name });
