// A bare Koa app in Node's cluster: what a boot costs at least.
import cluster from 'node:cluster';

if (cluster.isPrimary) {
  for (let index = 0; index < Number(process.env.WORKERS); index += 1) cluster.fork();
} else {
  const { default: Koa } = await import('koa');
  const app = new Koa();
  app.use((ctx) => {
    ctx.body = { hello: 'world' };
  });
  app.listen(Number(process.env.PORT));
}
