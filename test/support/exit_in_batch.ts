import http from 'node:http';
import type net from 'node:net';
import { type FastResponse, isWaiting } from './burst.js';
import { fastClasses } from './fast_classes.js';

// Responds with the path. Exits at once if the response to /exit waits for the end of its event-loop iteration, else reports to its parent.
const server = http.createServer(fastClasses, (req, res) => {
  (res as FastResponse).endInBatch(req.url as string);
  if (req.url !== '/exit') return;
  if (isWaiting(res)) process.exit(7);
  process.send?.('again');
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as net.AddressInfo).port));
