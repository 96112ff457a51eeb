// The app of the faults on Koa, for managers of processes: pm2 and wattpm. It closes as their documentation says.
import { createRequire } from 'node:module';
import { isMainThread, threadId } from 'node:worker_threads';

const Koa = createRequire(process.env.FAULTS_PEERS)('koa');
const id = String(isMainThread ? process.pid : threadId);

const ROUTES = {
  '/': (ctx) => {
    ctx.body = 'ok';
  },
  '/slow': async (ctx) => {
    await new Promise((resolve) => setTimeout(resolve, Number(ctx.query.ms)));
    ctx.body = 'slow';
  },
  '/throw': (ctx) => {
    ctx.body = 'thrown';
    setImmediate(() => {
      throw new Error('a mistake in a timer');
    });
  },
};

export function createServer() {
  const app = new Koa();
  app.use((ctx) => {
    ctx.set('x-pid', id);
    return ROUTES[ctx.path]?.(ctx);
  });
  return app.callback();
}
