import http from 'node:http';
import type { TestContext } from 'node:test';

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

interface HttpOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  agent?: http.Agent;
}

/** One request; a connection of its own unless an agent is given. */
export function request(url: string, { body, agent, ...options }: HttpOptions = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, { agent: agent ?? false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode as number,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export async function requestJson<T>(url: string, options?: HttpOptions): Promise<T> {
  return JSON.parse((await request(url, options)).body) as T;
}

/** Four loops of requests until `stop` is called; counts answers by status and failures by code. */
export function startLoad(t: TestContext, url: string, { agent }: { agent?: http.Agent } = {}) {
  const counts = { ok: 0, failed: [] as string[] };
  let running = true;
  const loop = async (): Promise<void> => {
    while (running) {
      try {
        const { status } = await request(url, { agent });
        if (status === 200) counts.ok += 1;
        else counts.failed.push(String(status));
      } catch (error) {
        counts.failed.push((error as NodeJS.ErrnoException).code ?? String(error));
      }
    }
  };
  const loops = Array.from({ length: 4 }, loop);
  t.after(() => {
    running = false;
  });
  return {
    counts,
    async stop() {
      running = false;
      await Promise.all(loops);
      agent?.destroy();
      return counts;
    },
  };
}
