// Does what the bench tells it, and reports to it through the Master.
module.exports = (app) => {
  const { messenger } = app;
  let wanted = Infinity;
  let got = 0;
  messenger.on('expect', (count) => {
    wanted = count;
    got = 0;
    messenger.send('expecting', null, 'parent');
  });
  messenger.on('value', () => {
    got += 1;
    if (got === wanted) messenger.send('received', { cpu: process.cpuUsage() }, 'parent');
  });
  messenger.on('invoke', async (job) => {
    const { measureInvokes } = await import('../measure.mjs');
    const result = await measureInvokes((value) => messenger.request('agent', 'echo', value, { timeout: 60_000 }), job);
    const agent = await messenger.request('agent', 'cpu');
    messenger.send('invoked', { ...result, cpu: [process.cpuUsage(), agent] }, 'parent');
  });
};
