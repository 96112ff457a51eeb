const http = process.getBuiltinModule('node:http');

/** What became of the requests of a load. */
export interface Losses {
  requests: number;
  /** Requests without a response, and responses of 500 and above. */
  lost: number;
  /** How often each status, or code of an error, came. */
  results: Record<string, number>;
}

export interface LoadOptions {
  /** Default `/`. */
  path?: string;
  /** Requests at the same time, each on a connection that is kept; default 8. */
  connections?: number;
}

/** Requests to a cluster, one after the other on each connection, until `stop()`. */
export class Load {
  readonly #url: URL;
  readonly #agent: import('node:http').Agent;
  readonly #loops: Promise<void>[];
  readonly #results: Record<string, number> = {};
  #isRunning = true;

  constructor(address: string, { path = '/', connections = 8 }: LoadOptions = {}) {
    this.#url = new URL(path, address);
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
    this.#loops = Array.from({ length: connections }, () => this.#loop());
  }

  async #loop(): Promise<void> {
    while (this.#isRunning) {
      const result = await this.#request();
      this.#results[result] = (this.#results[result] ?? 0) + 1;
      // A refused connection fails at once.
      if (!/^\d+$/.test(result)) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #request(): Promise<string> {
    return new Promise((resolve) => {
      const request = http.get(this.#url, { agent: this.#agent }, (response) => {
        response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
        response.on('end', () => resolve(String(response.statusCode)));
        response.resume();
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        // A server may close a kept connection at the moment of a request: a client sends it again, as browsers do.
        if (request.reusedSocket && error.code === 'ECONNRESET' && this.#isRunning) resolve(this.#request());
        else resolve(error.code ?? error.name);
      });
    });
  }

  async stop(): Promise<Losses> {
    this.#isRunning = false;
    await Promise.all(this.#loops);
    this.#agent.destroy();
    let requests = 0;
    let lost = 0;
    for (const [result, count] of Object.entries(this.#results)) {
      requests += count;
      if (!(Number(result) < 500)) lost += count;
    }
    return { requests, lost, results: this.#results };
  }
}
