export default {
  keys: 'faults',
  // One fault is a boot that hangs.
  workerStartTimeout: 10_000,
  security: { csrf: { enable: false } },
  logger: { level: 'WARN', consoleLevel: 'NONE', dir: new URL('../logs', import.meta.url).pathname },
};
