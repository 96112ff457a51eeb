import path from 'node:path';

export default (appInfo) => ({
  // Signs and encrypts cookies. Give production its own in the environment variable APP_KEYS, see config.prod.
  keys: `${appInfo.name}_{{keys}}`,
  cluster: { listen: { port: 7001 } },
  middleware: ['poweredBy'],
  poweredBy: { name: 'clutch' },
  notes: { keepDays: 30 },
  sqlite: {
    client: {
      file: path.join(appInfo.baseDir, 'data/notes.db'),
      schema: `CREATE TABLE IF NOT EXISTS notes (
        id INTEGER PRIMARY KEY, author TEXT NOT NULL, text TEXT NOT NULL, created_at TEXT NOT NULL
      )`,
    },
  },
  security: {
    // The API knows no cookies, so there is nothing that another site could misuse.
    csrf: { ignore: '/api' },
    csp: { enable: true, policy: { 'default-src': ["'self'"] } },
  },
});
