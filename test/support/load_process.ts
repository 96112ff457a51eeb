import http from 'node:http';

// Sends requests over keep-alive connections, from a process of its own, until it is told to stop.
const [url = '', connections = '4'] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(connections) });
const counts: Record<string, number> = {};
let running = true;

function once(): Promise<string> {
  return new Promise((resolve) => {
    const req = http.get(url, { agent, timeout: 20_000 }, (res) => {
      res.resume();
      res.on('end', () => resolve(String(res.statusCode)));
      res.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    req.on('timeout', () => req.destroy(Object.assign(new Error('timeout'), { code: 'TIMEOUT' })));
    req.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function loop(): Promise<void> {
  while (running) {
    const outcome = await once();
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
}

const loops = Promise.all(Array.from({ length: Number(connections) }, loop));
process.on('message', async (message) => {
  if (message === 'stop') {
    running = false;
    await loops;
  }
  process.send?.(counts);
  if (message === 'stop') process.disconnect();
});
process.on('disconnect', () => process.exit());
