// A session read by an app worker through its Agent, against a connection of its own; needs `npm run build` and redis-server.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dir = mkdtempSync(path.join(os.tmpdir(), 'clutch-fleet-latency-'));
const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
const [redisPort, port] = [await freePort(), await freePort()];
const files = {
  'package.json': JSON.stringify({ name: 'fleet-latency', egg: { framework: 'koa-clutch' } }),
  'config/plugin.js': 'exports.fleet = true;',
  'config/config.default.js': `exports.keys = 'k';
    exports.fleet = { adapter: 'redis', url: 'redis://127.0.0.1:${redisPort}', session: true };
    exports.logger = { dir: require('path').join(__dirname, '../logs'), consoleLevel: 'NONE' };`,
  'app/router.js': `const { Redis } = require('${path.join(root, 'node_modules/ioredis')}');
    const redis = new Redis(${redisPort});
    module.exports = (app) => {
      app.get('/', async (ctx) => {
        const session = { user: 'ada', roles: ['reader'], _expire: 1, _maxAge: 1 };
        await app.sessionStore.set('k', session, 60000);
        await redis.set('k', JSON.stringify(session));
        const ways = { agent: () => app.sessionStore.get('k'), own: () => redis.get('k') };
        const found = { agent: [], own: [] };
        for (let index = 0; index < 4000; index++) {
          for (const [name, read] of Object.entries(ways)) {
            const begin = process.hrtime.bigint();
            await read();
            if (index >= 1000) found[name].push(Number(process.hrtime.bigint() - begin) / 1000);
          }
        }
        for (const list of Object.values(found)) list.sort((a, b) => a - b);
        const at = (list, share) => Math.round(list[Math.floor(list.length * share)]);
        ctx.body = Object.entries(found).map(([name, list]) => name + ': p50 ' + at(list, 0.5) + ' µs, p99 ' + at(list, 0.99) + ' µs').join('; ');
      });
    };`,
};
for (const [file, text] of Object.entries(files)) {
  mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
  writeFileSync(path.join(dir, file), text);
}
mkdirSync(path.join(dir, 'node_modules'));
symlinkSync(root, path.join(dir, 'node_modules/koa-clutch'), 'dir');
const redis = spawn('redis-server', ['--port', String(redisPort), '--save', '', '--dir', dir], { stdio: 'ignore' });
await sleep(500);
const args = [path.join(root, 'dist/cli/index.js'), 'start', dir, '--workers', '1', '--port', String(port)];
const app = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, EGG_HOME: dir } });
let response;
for (let attempt = 0; attempt < 100 && !response; attempt += 1) {
  await sleep(200);
  response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
}
console.log(await response?.text(), `(load average ${os.loadavg()[0].toFixed(2)})`);
app.kill('SIGTERM');
await new Promise((resolve) => app.once('exit', resolve));
redis.kill('SIGKILL');
rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
