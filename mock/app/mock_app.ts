import { createRequire } from 'node:module';
import type { InjectOptions, Response as InjectResponse } from 'light-my-request';
import type { Context } from '../../core/index.js';
import type { Agent, Application } from '../../framework/index.js';
import { mockProperty } from '../property.js';
import { type HttpTester, httpRequest } from './http_request.js';
import { type MockHttpMethod, type MockHttpResult, mockHttpclient, useMockAgent } from './mock_http_client.js';
import { expectLog, type LoggerReference, mockLog, notExpectLog } from './mock_log.js';
import {
  type MockContextData,
  type MockContextOptions,
  mockContext,
  mockCookies,
  mockCsrf,
  mockHeaders,
  mockSession,
} from './mock_request.js';
import { mockService, mockServiceError, type ServiceReference } from './mock_service.js';

type Parameters2<F> = F extends (app: never, ...rest: infer R) => unknown ? R : never;

/** What a test finds on `app.agent` besides its own members. */
export interface MockAgentMethods {
  mockHttpclient: typeof mockHttpclient;
  mockAgent: typeof useMockAgent;
}

/** What a test finds on `app` besides its own members. Whatever is mocked is undone by `restore()`. */
export interface MockMethods extends MockAgentMethods {
  /** Sends requests over HTTP through supertest. */
  httpRequest(): HttpTester;
  /** Sends a request to the app without a socket. */
  inject(options: string | InjectOptions): Promise<InjectResponse>;
  /** @returns a context outside of a request, with these properties; it becomes `app.currentContext` */
  mockContext(data?: MockContextData, options?: MockContextOptions): Context;
  /** Runs `scope` with such a context as `app.currentContext`. */
  mockContextScope<T>(scope: (ctx: Context) => T, data?: MockContextData): T;
  mockHeaders(headers: Record<string, string>): this;
  mockCookies(values: Record<string, string | undefined>): this;
  mockSession(values: object | null): this;
  mockCsrf(): this;
  mockEnv(env: string): this;
  mockService(service: ServiceReference, method: string, value: unknown): this;
  mockServiceError(service: ServiceReference, method: string, error?: unknown): this;
  mockLog(logger?: LoggerReference): this;
  expectLog(expected: string | RegExp, logger?: LoggerReference): this;
  notExpectLog(expected: string | RegExp, logger?: LoggerReference): this;
  /** Resolves when all that was begun by `runInBackground` has ended. */
  backgroundTasksFinished(): Promise<void>;
}

export type MockedAgent = Agent & MockAgentMethods;
export type MockedApplication = Application & MockMethods & { agent: MockedAgent };

export type { MockHttpMethod, MockHttpResult };

/** Adds the methods of the test kit to a booted app and its Agent. */
export function addMockMethods(app: Application & { agent: Agent }): MockedApplication {
  const ofAgent: MockAgentMethods = { mockHttpclient, mockAgent: useMockAgent };
  const chained = <F extends (app: Application, ...rest: never[]) => void>(method: F) =>
    function call(this: unknown, ...rest: Parameters2<F>) {
      method(app, ...(rest as never[]));
      return this;
    };
  const methods = {
    ...ofAgent,
    httpRequest: () => httpRequest(app),
    inject: (options: string | InjectOptions) => inject(app, options),
    mockContext: (...rest: Parameters2<typeof mockContext>) => mockContext(app, ...rest),
    mockContextScope: <T>(scope: (ctx: Context) => T, data?: MockContextData): T => {
      const ctx = mockContext(app, data, { mockCtxStorage: false });
      return app.ctxStorage.run(ctx, () => scope(ctx));
    },
    mockHeaders: chained(mockHeaders),
    mockCookies: chained(mockCookies),
    mockSession: chained(mockSession),
    mockCsrf: chained(mockCsrf),
    mockEnv: chained((target: Application, env: string) => mockProperty(target.config, 'env', env)),
    mockService: chained(mockService),
    mockServiceError: chained(mockServiceError),
    mockLog: chained(mockLog),
    expectLog: chained(expectLog),
    notExpectLog: chained(notExpectLog),
    backgroundTasksFinished: trackBackgroundTasks(app),
  };
  define(app, methods);
  define(app.agent, ofAgent);
  return app as MockedApplication;
}

function define(target: object, methods: object): void {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
}

/** @returns a function that waits until no background task is left, also of those that tasks begin */
function trackBackgroundTasks(app: Application): () => Promise<void> {
  const running = new Set<Promise<void>>();
  define(app.context, {
    runInBackground(this: Context, scope: (ctx: Context) => unknown): void {
      const task = this._runInBackground(scope);
      running.add(task);
      void task.then(() => running.delete(task));
    },
  });
  return async () => {
    while (running.size > 0) await Promise.all(running);
  };
}

function inject(app: Application, options: string | InjectOptions): Promise<InjectResponse> {
  const { inject: send } = createRequire(import.meta.url)('light-my-request') as typeof import('light-my-request');
  return send(app.callback(), options);
}
