export default {
  keys: 'faults',
  security: { csrf: { enable: false } },
  logger: { level: 'WARN', consoleLevel: 'NONE', dir: new URL('../logs', import.meta.url).pathname },
};
