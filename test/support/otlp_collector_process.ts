import http from 'node:http';
import type { AddressInfo } from 'node:net';

// A collector for tests: takes OTLP over HTTP as JSON, and gives all of it back at GET /received.
const received: Record<string, unknown[]> = { traces: [], metrics: [], logs: [] };

const server = http.createServer(async (req, res) => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const kind = /^\/v1\/(\w+)$/.exec(req.url ?? '')?.[1] ?? '';
  if (req.method === 'GET') {
    res.end(JSON.stringify(received));
    return;
  }
  if (!received[kind] || req.headers['content-type'] !== 'application/json') {
    res.writeHead(415).end();
    return;
  }
  received[kind].push(JSON.parse(Buffer.concat(chunks).toString()));
  res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
});

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
