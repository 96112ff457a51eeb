import http from 'node:http';
import type { TestContext } from 'node:test';
import type { Actions, ViewName, Views } from '../../cluster/admin/page_data.js';
import { type RunningCluster, startTestCluster, until } from './apps.js';
import { type HttpOptions, type HttpResponse, request, requestJson } from './http.js';
import { type Files, writeApp } from './loaded_app.js';

/** An app of two routes, with logs and config of its own. */
export const FILES: Files = {
  'package.json': '{ "name": "demo", "version": "1.2.3" }',
  'app/router.js': `module.exports = ({ router }) => {
    router.get('home', '/', (ctx) => { ctx.logger.info('hello'); ctx.body = { pid: process.pid }; });
    router.get('/fails', () => { throw new Error('on purpose'); });
    router.get('/die', () => process.exit(7));
  };`,
  'config/config.default.js': "exports.keys = 'k'; exports.shop = { name: 'one', password: 'hunter2' };",
  'config/config.prod.js': "exports.shop = { name: 'two' };",
};

export interface PageCluster extends RunningCluster {
  baseDir: string;
  /** Address of the admin listener. */
  page: string;
  view<Name extends ViewName>(name: Name): Promise<Views[Name]>;
  /** Posts to an action as the page does. */
  act<Name extends keyof Actions>(name: Name, body: Actions[Name], options?: HttpOptions): Promise<HttpResponse>;
}

/** Starts a cluster with a page. */
export async function startPage(
  t: TestContext,
  {
    files = FILES,
    admin = {},
    env = {},
    ...options
  }: { files?: Files; admin?: object; env?: NodeJS.ProcessEnv } & Record<string, unknown> = {},
): Promise<PageCluster> {
  const baseDir = writeApp(t, files);
  const cluster = await startTestCluster(
    t,
    { baseDir, workers: 1, admin: { port: 0, page: true, ...admin }, ...options },
    { EGG_HOME: baseDir, ...env },
  );
  const page = await cluster.admin();
  return {
    ...cluster,
    baseDir,
    page,
    view: (name) => requestJson(`${page}/api/views/${name}`),
    act: (name, body, { headers, ...more } = {}) =>
      request(`${page}/api/actions/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        ...more,
      }),
  };
}

interface PageEvent<Name extends ViewName = ViewName> {
  name: Name;
  data: Views[Name];
  /** Milliseconds since the epoch. */
  at: number;
}

export interface EventReader {
  status: number;
  headers: http.IncomingHttpHeaders;
  events: PageEvent[];
  text(): string;
  /** Resolves when the server has ended the stream. */
  ended: Promise<void>;
  /** Waits for an event of a view whose data is as wanted, from the first one on. */
  find<Name extends ViewName>(name: Name, wanted: (data: Views[Name]) => unknown): Promise<PageEvent<Name>>;
  close(): void;
}

/** Reads server-sent events as a browser does. */
export function readEvents(t: TestContext, url: string, options: http.RequestOptions = {}): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const outgoing = http.get(url, { agent: false, ...options }, (response) => {
      const events: PageEvent[] = [];
      let text = '';
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() as string;
        for (const block of blocks) {
          const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
          if (data !== undefined) events.push({ name: name as ViewName, data: JSON.parse(data), at: Date.now() });
        }
      });
      const ended = new Promise<void>((done) => response.on('close', () => done()));
      resolve({
        status: response.statusCode as number,
        headers: response.headers,
        events,
        text: () => text,
        ended,
        find: (name, wanted) =>
          until(`an event of ${name} is as wanted`, () =>
            events.find((event) => event.name === name && wanted(event.data as never)),
          ) as never,
        close: () => outgoing.destroy(),
      });
    });
    outgoing.on('error', reject);
    t.after(() => outgoing.destroy());
  });
}
