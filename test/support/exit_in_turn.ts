import http from 'node:http';
import type net from 'node:net';
import { ClutchCore } from 'koa-clutch';
import { isWaiting } from './burst.js';

// Answers with the path; ends itself at once when the answer to /exit waits for the end of its turn, else tells its parent.
const server = http.createServer(ClutchCore.prototype.serverOptions, (req, res) => {
  res.endWithTurn(req.url as string);
  if (req.url !== '/exit') return;
  if (isWaiting(res)) process.exit(7);
  process.send?.('again');
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as net.AddressInfo).port));
