import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { processorTime } from './harness.mjs';

const LOAD = fileURLToPath(new URL('load.mjs', import.meta.url));
/** Seconds; both are ended by a signal. */
const FOREVER = 3600;
/** Seconds, more than the clients of one server wait while the others are asked. */
const TIMEOUT = 60;

/** `wrk` where it is installed, since it leaves most of a processor to the servers; else load.mjs. */
export const generator = spawnSync('wrk', ['-v']).error === undefined ? 'wrk' : 'load.mjs';

function command({ port, path, connections = 32, close = false, body }) {
  if (generator === 'load.mjs') {
    return [
      process.execPath,
      [LOAD, JSON.stringify({ port, path, connections, close, body, duration: FOREVER * 1000 })],
    ];
  }
  const header = close ? ['-H', 'Connection: close'] : [];
  const post = body === undefined ? [] : ['-s', postScript(body)];
  const url = `http://127.0.0.1:${port}${path}`;
  return ['wrk', ['-t1', `-c${connections}`, `-d${FOREVER}`, `--timeout=${TIMEOUT}`, ...header, ...post, url]];
}

/** @returns a script that makes wrk send `body` as JSON */
function postScript(body) {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'clutch-bench-wrk-')), 'post.lua');
  const headers = `wrk.headers["Content-Type"] = "application/json"`;
  writeFileSync(file, `wrk.method = "POST"\n${headers}\nwrk.body = ${JSON.stringify(body)}\n`);
  return file;
}

function errorsIn(text) {
  if (generator === 'load.mjs') return JSON.parse(text).errors;
  const broken = /connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0;
  return broken.reduce((sum, count) => sum + Number(count), Number(refused));
}

/** Clients of one server that ask when they are told to. */
export class Clients {
  #child;
  #pids;
  #last;
  #text = '';
  #body;

  /**
   * @param server port and pids
   * @param options path, connections (32), close (false), body (JSON that is posted; a GET without it)
   */
  constructor({ port, pids }, options) {
    this.#pids = pids();
    const { path: target, body } = options;
    this.#body = body;
    this.#last = { port, host: '127.0.0.1', path: target, agent: new http.Agent({ keepAlive: true }) };
    if (body !== undefined)
      Object.assign(this.#last, { method: 'POST', headers: { 'content-type': 'application/json' } });
    this.#child = spawn(...command({ port, ...options }), { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child.kill('SIGSTOP');
    this.#child.stdout.on('data', (chunk) => {
      this.#text += chunk;
    });
  }

  /**
   * Asks for a time.
   *
   * @param milliseconds of that time
   * @returns requests a second, their number, and the seconds of processor time that they took the server
   */
  async ask(milliseconds) {
    const cpu = processorTime(this.#pids);
    const sent = this.#sent();
    const begin = performance.now();
    this.#child.kill('SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.#child.kill('SIGSTOP');
    // A slow server is at work for a while on what it has been asked: that is its time, and not of the next.
    await this.#askLast();
    const elapsed = performance.now() - begin;
    const total = this.#sent() - sent;
    return { perSecond: (total / elapsed) * 1000, total, seconds: processorTime(this.#pids) - cpu };
  }

  /** @throws {Error} when a request has failed since the beginning */
  async end() {
    this.#last.agent.destroy();
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGCONT');
    // Only the thread of wrk that waits for the other ends with the signal, and either may take it.
    const signal = setInterval(() => this.#child.kill('SIGINT'), 2);
    await ended;
    clearInterval(signal);
    const errors = errorsIn(this.#text);
    if (errors > 0) throw new Error(`${errors} errors`);
  }

  abort() {
    this.#last.agent.destroy();
    this.#child.kill('SIGKILL');
  }

  /** Each request is one write. */
  #sent() {
    return Number(/^syscw: (\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/io`, 'utf8'))[1]);
  }

  #askLast() {
    return new Promise((resolve, reject) => {
      const req = http.request(this.#last, (res) => res.resume().on('end', resolve));
      req.on('error', reject);
      req.end(this.#body);
    });
  }
}
