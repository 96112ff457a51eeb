export default {
  logger: { coreLogger: { consoleLevel: 'WARN' } },
};
