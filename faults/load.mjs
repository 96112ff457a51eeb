// Requests on connections of their own, each of which knows the worker that it has spoken to: of a lost request we can say
// whether it was held by a process that was killed.
import http from 'node:http';
import https from 'node:https';

/** Milliseconds after which a request counts as hung. */
const HUNG = 15_000;
/** Milliseconds around the death of a process in which a connection that has not spoken yet may have been given to it. */
const NEAR = 2000;

export class Load {
  static #all = new Set();

  /** Ends those that a scenario has not ended because it failed. */
  static async endAll() {
    await Promise.all([...Load.#all].map((load) => load.stop()));
  }

  #running = true;
  #loops;
  #deaths = [];
  #losses = [];
  requests = 0;
  retried = 0;
  hung = 0;
  pids = new Set();

  /** @param count requests on each connection; without it until `stop()` */
  constructor(url, { connections = 8, path = '/', body, count = Number.POSITIVE_INFINITY } = {}) {
    this.url = url;
    this.target = { path, body };
    this.#loops = Array.from({ length: connections }, () => this.#loop(count));
    Load.#all.add(this);
  }

  /** A process that was killed on purpose, with all that it held. */
  died(pid) {
    this.#deaths.push({ pid, at: Date.now() });
  }

  async finished() {
    await Promise.all(this.#loops);
  }

  async #loop(count) {
    const secure = this.url.startsWith('https:');
    const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    const state = { pid: undefined };
    for (let left = count; left > 0 && this.#running; left -= 1) {
      const begin = Date.now();
      const error = await this.#once(agent, state);
      if (!error) continue;
      this.#losses.push({ pid: state.pid, begin, at: Date.now(), error });
      state.pid = undefined;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    agent.destroy();
  }

  /** @returns undefined, or why there was no response */
  #once(agent, state, again = false) {
    if (!again) this.requests += 1;
    return new Promise((resolve) => {
      const { path, body } = this.target;
      const { request } = this.url.startsWith('https:') ? https : http;
      const unix = this.url.startsWith('/') ? { socketPath: this.url, path } : undefined;
      const options = { agent, method: body ? 'POST' : 'GET', rejectUnauthorized: false, ...unix };
      const outgoing = request(...(unix ? [options] : [new URL(path, this.url), options]), (response) => {
        state.pid = Number(response.headers['x-pid']) || state.pid;
        this.pids.add(state.pid);
        response.resume();
        response.once('end', () => resolve(response.statusCode < 500 ? undefined : String(response.statusCode)));
        response.once('error', (error) => resolve(error.code ?? error.message));
      });
      outgoing.once('socket', () => {
        // Who has a new connection is known with its first response.
        if (!outgoing.reusedSocket) state.pid = undefined;
      });
      outgoing.setTimeout(HUNG, () => {
        this.hung += 1;
        outgoing.destroy(new Error('hung'));
      });
      outgoing.once('error', (error) => {
        // A server may close a kept connection in the moment of a request, and has not seen it: any client sends it again.
        if (outgoing.reusedSocket && error.code === 'ECONNRESET' && !again && !this.#wasHeldBy(state.pid)) {
          this.retried += 1;
          resolve(this.#once(agent, state, true));
        } else resolve(error.code ?? error.message);
      });
      outgoing.end(body);
    });
  }

  #wasHeldBy(pid) {
    return this.#deaths.some((death) => death.pid === pid);
  }

  /** @returns requests, all losses, and those that no death explains */
  async stop() {
    this.#running = false;
    await Promise.all(this.#loops);
    Load.#all.delete(this);
    const isExplained = ({ pid, begin, at, error }) =>
      error !== 'hung' &&
      this.#deaths.some(
        (death) => (pid === undefined || death.pid === pid) && begin <= death.at + NEAR && at >= death.at - NEAR,
      );
    const avoidable = this.#losses.filter((loss) => !isExplained(loss));
    return {
      requests: this.requests,
      lost: this.#losses.length,
      avoidable: avoidable.length,
      hung: this.hung,
      retried: this.retried,
      errors: [...new Set(avoidable.map(({ error }) => error))],
    };
  }
}
