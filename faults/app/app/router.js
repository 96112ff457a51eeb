import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, threadId } from 'node:worker_threads';

/** As the status of the cluster names this worker. */
const id = String(isMainThread ? process.pid : threadId);

export default (app) => {
  const own = (ctx) => ctx.set('x-pid', id);
  app.get('/', (ctx) => {
    own(ctx);
    ctx.body = 'ok';
  });
  app.get('/slow', async (ctx) => {
    own(ctx);
    await sleep(Number(ctx.query.ms ?? 100));
    ctx.body = 'slow';
  });
  app.get('/clock', async (ctx) => {
    own(ctx);
    ctx.body = { now: await app.clock.now() };
  });
  app.get('/fail', (ctx) => {
    own(ctx);
    ctx.throw(400, 'a mistake of the client');
  });
  app.get('/throw', (ctx) => {
    own(ctx);
    ctx.body = 'thrown';
    setImmediate(() => {
      throw new Error('a mistake in a timer');
    });
  });
  app.get('/stream', (ctx) => {
    own(ctx);
    ctx.body = Readable.from(
      (async function* chunks() {
        for (let index = 0; index < 20; index += 1) {
          await sleep(50);
          yield `${index}\n`;
        }
      })(),
    );
  });
  app.post('/upload', async (ctx) => {
    own(ctx);
    let bytes = 0;
    for await (const chunk of ctx.req) bytes += chunk.length;
    ctx.body = { bytes };
  });
  app.ws('/socket', (_ctx, socket) => socket.send('open'));
  app.get('/events', (ctx) => {
    own(ctx);
    ctx.sse().send({ data: 'open' });
  });
  app.get('/heap', (ctx) => {
    own(ctx);
    const kept = [];
    for (;;) kept.push(new Array(1_000_000).fill(Math.random()));
  });
  app.get('/block-agent', (ctx) => {
    own(ctx);
    app.messenger.sendToAgent('block', Number(ctx.query.ms));
    ctx.body = 'sent';
  });
};
