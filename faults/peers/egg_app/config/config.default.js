module.exports = {
  keys: 'faults',
  security: { csrf: { enable: false } },
  logger: { level: 'WARN', consoleLevel: 'NONE' },
};
