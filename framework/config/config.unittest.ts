export default {
  logger: { consoleLevel: 'WARN', buffer: false },
};
