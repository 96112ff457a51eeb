import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './apps.js';

export interface HttpResponse {
  status: number;
  /** The reason phrase. */
  message: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface HttpOptions {
  method?: string;
  /** The path as it is sent: that of the URL is resolved. */
  path?: string;
  headers?: Record<string, string>;
  body?: string;
  agent?: http.Agent;
}

/** One request; a connection of its own unless an agent is given. */
export function request(url: string, { body, agent, ...options }: HttpOptions = {}): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, { agent: agent ?? false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode as number,
          message: response.statusMessage as string,
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

/** @returns responses with their headers sorted, since their order has no meaning, and without the date */
export function sortHeaders(answers: string): string {
  return answers.replaceAll(/(HTTP\/1.1 [^\r]*\r\n)((?:[^\r]+\r\n)*)/g, (_all, first: string, headers: string) => {
    const lines = headers.split('\r\n').map((line) => line.replace(/^(Date): .*/, '$1: …'));
    return first + lines.sort().join('\r\n');
  });
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

const LOAD = path.join(process.cwd(), '.test/test/support/load_process.js');

export interface LoadProcess {
  /** How often each status or error code came so far. */
  counts(): Promise<Record<string, number>>;
  stop(): Promise<Record<string, number>>;
}

/** Keep-alive requests from another process until `stop` is called. */
export async function startLoadProcess(t: TestContext, url: string, connections = 4): Promise<LoadProcess> {
  const child = fork(LOAD, [url, String(connections)], { execArgv: [] });
  t.after(() => child.kill('SIGKILL'));
  const ask = async (question: string): Promise<Record<string, number>> => {
    const answer = once(child, 'message');
    child.send(question);
    return (await answer)[0] as Record<string, number>;
  };
  const load = { counts: () => ask('counts'), stop: () => ask('stop') };
  await until('the load runs', async () => ((await load.counts())['200'] ?? 0) > 50);
  return load;
}

/** @returns a port that was free a moment ago, for programs that cannot be given 0 */
export async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
