// One machine of bench/fleet.mjs: node bench/fleet/process.mjs <fleet|bare> <name> <port> <directory>
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';

const [kind, name, port, dir] = process.argv.slice(2);
const url = `redis://127.0.0.1:${port}`;
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
async function bare() {
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

const link = await (kind === 'fleet' ? fleet() : bare());
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
