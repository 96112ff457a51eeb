import { createRequire } from 'node:module';
import type { Agent as AgentType, Dispatcher, MockAgent as MockAgentType } from 'urllib';
import { mockProperty } from '../property.js';

const { Agent, MockAgent } = createRequire(import.meta.url)('urllib') as typeof import('urllib');

type Body = string | Buffer | object;

/** What a mocked request gets. */
export interface MockHttpResult {
  /** Default 200. */
  status?: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  data?: Body;
  /** Milliseconds until it comes. */
  delay?: number;
  /** Whether it holds for more than one request; default true, and false with `repeats`. */
  persist?: boolean;
  /** For how many requests it holds. */
  repeats?: number;
}

type MakeResult = (url: string, options: { method: string; headers: unknown; body: unknown }) => MockHttpResult | Body;

export type MockHttpMethod = string | string[];

interface Rule {
  matches(url: string, method: string): boolean;
  result: MockHttpResult | Body | MakeResult;
  /** How many requests it still holds for. */
  left: number;
}

/** Later rules come first. */
let rules: Rule[] = [];
let mockAgent: MockAgentType | undefined;
let isDispatching = false;

/**
 * Responds to requests of HTTP clients in this process, without a connection. Other requests go their way.
 *
 * @param url matches without the query if it has none
 * @param method one or several; default `'*'`, all of them
 * @param result what is received; a function is called with url and options of each request
 */
export function mockHttpclient(
  url: string | RegExp,
  ...rest: [result: Rule['result']] | [method: MockHttpMethod, result: Rule['result']]
): void {
  const [method, result] = rest.length === 1 ? (['*', rest[0]] as const) : rest;
  const methods = [method].flat().map((each) => each.toUpperCase());
  const { repeats, persist = repeats === undefined } = isResult(result) ? result : {};
  intercept();
  rules.unshift({
    matches: (target, used) => (methods.includes('*') || methods.includes(used)) && matchesUrl(url, target),
    result,
    left: repeats ?? (persist ? Number.POSITIVE_INFINITY : 1),
  });
}

/** @returns undici's MockAgent, through which all requests of this process go that no `mockHttpclient` takes, until `restore()` */
export function useMockAgent(): MockAgentType {
  intercept();
  return (mockAgent ??= new MockAgent());
}

/** Forgets all rules; the property that is replaced is put back with the others. */
export async function restoreHttpClients(): Promise<void> {
  rules = [];
  const agent = mockAgent;
  mockAgent = undefined;
  await agent?.close();
}

function intercept(): void {
  if (rules.length > 0 || mockAgent) return;
  const original = Agent.prototype.dispatch;
  mockProperty(
    Agent.prototype,
    'dispatch',
    function dispatch(
      this: AgentType,
      options: AgentType.DispatchOptions,
      handler: Dispatcher.DispatchHandler,
    ): boolean {
      const url = new URL(options.path, String(options.origin)).href;
      // A MockAgent dispatches to Agents of its own.
      if (isDispatching) return original.call(this, options, handler);
      const rule = rules.find((each) => each.left > 0 && each.matches(url, options.method));
      if (rule) {
        rule.left -= 1;
        return respond(rule, url, options, handler);
      }
      const agent = mockAgent;
      if (agent) return whileDispatching(() => agent.dispatch(options, handler));
      return original.call(this, options, handler);
    },
  );
}

function whileDispatching(dispatch: () => boolean): boolean {
  isDispatching = true;
  try {
    return dispatch();
  } finally {
    isDispatching = false;
  }
}

function respond(
  { result }: Rule,
  url: string,
  options: AgentType.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): boolean {
  const { method, headers, body, origin, path } = options;
  const made = typeof result === 'function' ? (result as MakeResult)(url, { method, headers, body }) : result;
  const { status = 200, data = '', headers: sent = {}, delay = 0 } = isResult(made) ? made : { data: made as Body };
  const isText = typeof data === 'string' || Buffer.isBuffer(data);
  const agent = new MockAgent();
  const interceptor = agent.get(String(origin)).intercept({ path, method });
  const scope = interceptor.reply(status, isText ? data : JSON.stringify(data), {
    headers: { ...(isText ? {} : { 'content-type': 'application/json' }), ...sent },
  });
  if (delay > 0) scope.delay(delay);
  return whileDispatching(() => agent.dispatch(options, handler));
}

const RESULT_KEYS = ['status', 'headers', 'data', 'delay', 'persist', 'repeats'];

/** Whether it is a result, and no data by itself. */
function isResult(value: unknown): value is MockHttpResult {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => RESULT_KEYS.includes(key));
}

function matchesUrl(url: string | RegExp, target: string): boolean {
  if (url instanceof RegExp) return target.search(url) !== -1;
  const wanted = new URL(url);
  const asked = new URL(target);
  return wanted.search === ''
    ? wanted.href === target.slice(0, target.length - asked.search.length)
    : wanted.href === target;
}
