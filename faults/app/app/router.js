import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export default (app) => {
  const own = (ctx) => ctx.set('x-pid', String(process.pid));
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
