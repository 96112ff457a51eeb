export default (appInfo) => ({
  // Signs cookies. Give production its own, e.g. from an environment variable in config.prod.js.
  keys: `${appInfo.name}_{{keys}}`,
  middleware: ['poweredBy'],
  poweredBy: { name: 'clutch' },
});
