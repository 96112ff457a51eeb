import { AssertionError } from 'node:assert';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ClutchError } from '../../errors.js';
import type { Application } from '../../framework/index.js';

/** What a request of `httpRequest()` is responded with. */
export interface HttpTestResponse {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** The parsed body of JSON and forms, `{}` of others. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
  body: any;
  type: string;
  redirect: boolean;
}

/** One request of `httpRequest()`: it is sent when it is awaited. These are the members of supertest's that tests use most. */
export interface HttpTest extends PromiseLike<HttpTestResponse> {
  set(field: string, value: string): this;
  set(fields: Record<string, string>): this;
  query(query: string | object): this;
  type(type: string): this;
  accept(type: string): this;
  send(body?: string | object): this;
  attach(field: string, file: string | Buffer, options?: string | object): this;
  field(name: string, value: string): this;
  auth(user: string, password: string): this;
  redirects(count: number): this;
  expect(status: number, body?: string | RegExp | object): this;
  expect(body: string | RegExp | object): this;
  expect(field: string, value: string | RegExp | number): this;
  expect(check: (response: HttpTestResponse) => unknown): this;
  expectHeader(name: string): this;
  unexpectHeader(name: string): this;
  catch<T>(onRejected: (error: unknown) => T): Promise<HttpTestResponse | T>;
  then: Promise<HttpTestResponse>['then'];
}

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'del', 'options'] as const;

/** The methods take a path, or the name of a route. */
export type HttpTester = Record<(typeof METHODS)[number], (url: string) => HttpTest>;

type Supertest = (server: Server) => HttpTester;

const servers = new WeakMap<Application, Server>();

/** @returns requests over HTTP to the app, on a port of its own; needs the package supertest in the app */
export function httpRequest(app: Application): HttpTester {
  const tester = requireSupertest(app.baseDir)(serverOf(app));
  const entries = METHODS.map((method) => [
    method,
    (url: string): HttpTest => withHeaderChecks(tester[method](url.startsWith('/') ? url : routeOf(app, url))),
  ]);
  return Object.fromEntries(entries) as HttpTester;
}

/** The server of the app's tests; it closes with the app and does not keep the process. */
function serverOf(app: Application): Server {
  let server = servers.get(app);
  if (!server?.listening) {
    server = app.listen(0) as Server;
    server.unref();
    servers.set(app, server);
  }
  return server;
}

function requireSupertest(baseDir: string): Supertest {
  for (const place of [path.join(baseDir, 'package.json'), path.join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return createRequire(place)('supertest') as Supertest;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new ClutchError('ERR_CLUTCH_MOCK', 'app.httpRequest() needs the package supertest', {
    where: baseDir,
    fix: 'npm install --save-dev supertest, or use app.inject().',
  });
}

function routeOf(app: Application, name: string): string {
  const url = app.url(name);
  if (url) return url;
  throw new ClutchError('ERR_CLUTCH_MOCK', `the app has no route of the name ${name}`, {
    fix: 'Give the name of a route, or a path that begins with /.',
  });
}

function withHeaderChecks(test: HttpTest): HttpTest {
  const check = (name: string, isWanted: boolean): HttpTest =>
    test.expect(({ headers }: HttpTestResponse) => {
      if (name.toLowerCase() in headers === isWanted) return;
      throw new AssertionError({ message: `expected ${isWanted ? '' : 'no '}header ${name}`, actual: headers });
    });
  return Object.assign(test, {
    expectHeader: (name: string) => check(name, true),
    unexpectHeader: (name: string) => check(name, false),
  });
}
