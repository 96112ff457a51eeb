module.exports = (app) => {
  const own = (ctx) => ctx.set('x-pid', String(process.pid));
  app.get('/', async (ctx) => {
    own(ctx);
    ctx.body = 'ok';
  });
  app.get('/slow', async (ctx) => {
    own(ctx);
    await new Promise((resolve) => setTimeout(resolve, Number(ctx.query.ms)));
    ctx.body = 'slow';
  });
  app.get('/throw', async (ctx) => {
    own(ctx);
    ctx.body = 'thrown';
    setImmediate(() => {
      throw new Error('a mistake in a timer');
    });
  });
};
