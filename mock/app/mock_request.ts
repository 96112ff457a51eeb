import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from '../../core/index.js';
import { ClutchError } from '../../errors.js';
import type { Application } from '../../framework/index.js';
import { findDescriptor, mockProperty } from '../property.js';

type CreateContext = (req: IncomingMessage, res: ServerResponse) => Context;

/** What a mocked request has, besides properties of its context. */
export interface MockContextData extends Record<string, unknown> {
  headers?: Record<string, string>;
  method?: string;
  url?: string;
}

export interface MockContextOptions {
  /** Makes the context `app.currentContext` for the rest of the test; default true. */
  mockCtxStorage?: boolean;
}

/** Apps whose current context is a mocked one. */
const entered = new Set<Application>();

/** Leaves the mocked contexts, for whoever has called this. */
export function leaveContexts(): void {
  for (const app of entered) app.ctxStorage.enterWith(undefined as never);
  entered.clear();
}

/** @returns a context outside of a request, with `data` on it */
export function mockContext(app: Application, data: MockContextData = {}, options: MockContextOptions = {}): Context {
  const { headers, method, url, ...members } = data;
  const ctx = app.createAnonymousContext({
    ...(headers && { headers: lowerCased(headers) }),
    ...(method === undefined ? {} : { method }),
    ...(url === undefined ? {} : { url }),
  });
  for (const [key, value] of Object.entries(members)) {
    Object.defineProperty(ctx, key, { value, configurable: true, enumerable: true, writable: true });
  }
  if (options.mockCtxStorage !== false) {
    entered.add(app);
    app.ctxStorage.enterWith(ctx);
  }
  return ctx;
}

/** Gives each request headers that its client has not sent. */
export function mockHeaders(app: Application, headers: Record<string, string>): void {
  const given = lowerCased(headers);
  const create = app.createContext as CreateContext;
  mockProperty(app, 'createContext', ((req, res) => {
    Object.assign(req.headers, given);
    return create.call(app, req, res);
  }) satisfies CreateContext);
}

/** Has `ctx.cookies.get` return values whatever the client has sent, and whether they are signed or not. */
export function mockCookies(app: Application, values: Record<string, string | undefined>): void {
  const get = accessorOf(app.context, 'cookies');
  mockProperty(app.context, 'cookies', {
    get(this: Context) {
      const cookies = get.call(this) as { get(name: string, options?: object): unknown };
      if (!Object.hasOwn(cookies, 'get')) {
        const original = cookies.get;
        cookies.get = (name, options) =>
          Object.hasOwn(values, name) ? values[name] : original.call(cookies, name, options);
      }
      return cookies;
    },
  });
}

/** Has each request a session of these values; nothing is stored or sent to the client. */
export function mockSession(app: Application, values: object | null): void {
  let session = values && withMethods(values);
  mockProperty(app.context, 'session', {
    get: () => session,
    set: (given: object | null) => {
      session = given && withMethods(given);
    },
  });
}

function withMethods(values: object): object {
  const methods = { save() {}, regenerate() {}, manuallyCommit: async () => undefined };
  for (const [name, value] of Object.entries(methods)) {
    if (!(name in values)) Object.defineProperty(values, name, { value, configurable: true, writable: true });
  }
  return values;
}

/** Lets requests pass without a token. */
export function mockCsrf(app: Application): void {
  mockProperty(app.context, 'assertCsrf', () => undefined);
}

function accessorOf(target: object, key: string): () => unknown {
  const descriptor = findDescriptor(target, key);
  if (descriptor?.get) return descriptor.get;
  throw new ClutchError('ERR_CLUTCH_MOCK', `the contexts of this app have no ${key}`, {
    fix: 'Turn on the plugin that adds it.',
  });
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
