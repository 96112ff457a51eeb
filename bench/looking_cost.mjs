// What a worker pays while somebody looks at all views of the admin page: `node bench/looking_cost.mjs [rounds] [turns]`.
//
// Each round starts two clusters of one worker, which take turns at saturation. Their ratio before anybody has looked is compared with
// the ratio while somebody looks at the first one, and with that after: two processes of the same code differ by a few percent.
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../dist/index.js';
import { percent, summarize, table } from './report.mjs';

const ROUTER = `module.exports = (app) => {
  app.get('/', (ctx) => { ctx.body = { hello: 'world' }; });
  app.get('/slow', async (ctx) => { await new Promise((done) => setTimeout(done, 50)); ctx.body = { slow: true }; });
  app.get('/cpu', (ctx) => { ctx.body = process.cpuUsage(); });
};`;
const VIEWS = 'now,routes,deaths,boot,config,plugins,messages,schedule,logs,fleet';
const CONNECTIONS = 16;
/** Milliseconds of a turn, and until workers are told that nobody looks any more, with some to spare. */
const TURN = 400;
const LAPSE = 17_000;
/** Turns. */
const WARM_UP = 12;

/** Connections that send a request after each response, during turns. */
class Load {
  #url;
  #sockets = new Map();
  #responses = 0;
  #isOn = false;

  constructor(url) {
    this.#url = url;
  }

  connect(target) {
    const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const socket = net.connect(Number(new URL(this.#url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    this.#sockets.set(socket, () => {
      socket.off('data', next).on('data', next).write(request);
    });
    const next = () => {
      this.#responses += 1;
      if (this.#isOn) socket.write(request);
    };
  }

  /** @returns µs of the worker for a request */
  async turn() {
    const before = await usage(this.#url);
    const responses = this.#responses;
    this.#isOn = true;
    for (const send of this.#sockets.values()) send();
    await sleep(TURN);
    this.#isOn = false;
    // The last responses come.
    await sleep(80);
    return ((await usage(this.#url)) - before) / (this.#responses - responses);
  }

  end() {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }
}

if (process.send) await serve(process.argv[2]);
else await compare(Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 20));

async function serve(baseDir) {
  const cluster = await startCluster({ baseDir, workers: 1, port: 0, admin: { path: 'admin.sock', page: true } });
  process.on('disconnect', () => cluster.close().then(() => process.exit()));
  process.send({ url: cluster.address });
}

async function compare(rounds, turns) {
  const rows = [];
  for (const [name, slow] of [
    ['a trivial route', 0],
    ['a route of 50 ms beside it', 4],
  ]) {
    const found = { cpu: [], looking: [], after: [] };
    for (let round = 0; round < rounds; round += 1) await measure(found, slow, turns);
    const share = (values) => {
      const { median, spread } = summarize(values);
      return `${((median - 1) * 100).toFixed(1)} % (${percent(spread / Math.sqrt(values.length))})`;
    };
    rows.push([name, summarize(found.cpu).median.toFixed(1), share(found.looking), share(found.after)]);
  }
  const load = loadavg()[0].toFixed(1);
  console.log(`Node ${process.version}, ${rounds} × ${turns} turns, load ${load}; µs of processor time per request\n`);
  console.log(table(['app', 'nobody has looked', 'while somebody looks', 'after'], rows));
  process.exit();
}

/** @param slow requests of 50 ms that are in flight all the time */
async function measure(found, slow, turns) {
  const [own, other] = await Promise.all([start(slow), start(slow)]);
  for (let turn = 0; turn < WARM_UP; turn += 1) await ratioOfTurn(own, other);
  const ratios = async () => {
    const values = [];
    for (let turn = 0; turn < turns; turn += 1) {
      // Who is first changes: a phase in which a shared machine is slow begins anywhere.
      values.push(turn % 2 === 0 ? await ratioOfTurn(own, other, found) : 1 / (await ratioOfTurn(other, own)));
    }
    return values;
  };
  const { median: bias } = summarize(await ratios());
  const look = await own.look();
  found.looking.push(...(await ratios()).map((value) => value / bias));
  look.on('error', () => {}).destroy();
  // Connections that were idle for so long would be closed.
  for (const end = Date.now() + LAPSE; Date.now() < end; ) await ratioOfTurn(own, other);
  found.after.push(...(await ratios()).map((value) => value / bias));
  await Promise.all([own.stop(), other.stop()]);
}

async function ratioOfTurn(one, another, found) {
  const first = await one.load.turn();
  const second = await another.load.turn();
  found?.cpu.push(second);
  return first / second;
}

async function start(slow) {
  const baseDir = mkdtempSync(path.join(tmpdir(), 'clutch-bench-'));
  mkdirSync(path.join(baseDir, 'app'));
  mkdirSync(path.join(baseDir, 'config'));
  writeFileSync(path.join(baseDir, 'package.json'), '{ "name": "looking" }');
  writeFileSync(path.join(baseDir, 'config/config.default.js'), "exports.keys = 'k';");
  writeFileSync(path.join(baseDir, 'app/router.js'), ROUTER);
  const env = { ...process.env, NODE_ENV: 'production', EGG_SERVER_ENV: 'prod', EGG_HOME: baseDir };
  const child = fork(fileURLToPath(import.meta.url), [baseDir], { cwd: baseDir, env, silent: true });
  child.stdout.resume();
  child.stderr.pipe(process.stderr);
  const url = await new Promise((resolve) => child.on('message', (message) => message.url && resolve(message.url)));
  const load = new Load(url);
  for (let index = 0; index < CONNECTIONS; index += 1) load.connect('/');
  for (let index = 0; index < slow; index += 1) load.connect('/slow');
  return {
    load,
    look: () =>
      new Promise((resolve, reject) => {
        const socketPath = path.join(baseDir, 'admin.sock');
        const look = http.get({ socketPath, path: `/api/events?views=${VIEWS}` }, (events) => {
          if (events.statusCode !== 200) reject(new Error(`the page answers ${events.statusCode}`));
          events.once('data', () => resolve(look)).resume();
        });
        look.on('error', reject);
      }),
    async stop() {
      load.end();
      child.disconnect();
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(baseDir, { recursive: true, force: true });
    },
  };
}

async function usage(url) {
  const { user, system } = await (await fetch(`${url}/cpu`)).json();
  return user + system;
}
