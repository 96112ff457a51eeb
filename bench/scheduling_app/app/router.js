function spin(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

module.exports = ({ router }) => {
  router.get('/:ms', (ctx) => {
    spin(Number(ctx.params.ms));
    ctx.body = String(process.pid);
  });
};
