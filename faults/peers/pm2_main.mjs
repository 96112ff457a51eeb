import http from 'node:http';
import { createServer } from './koa_app.mjs';

const server = http
  .createServer(createServer())
  .listen(Number(process.env.PORT), '127.0.0.1', () => process.send?.('ready'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.close(() => process.exit(0)));
