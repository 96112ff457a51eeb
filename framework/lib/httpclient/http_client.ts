import { setMaxListeners } from 'node:events';
import { createRequire } from 'node:module';
import type { HttpClientResponse, RequestOptions, RequestURL } from 'urllib';
import type { Context } from '../../../core/index.js';
import { toError } from '../../../errors.js';
import { channels, currentContext, trace } from '../../../tracing/channels.js';
import type { HttpClientTrace } from '../../../tracing/payloads.js';
import { isRecorded, recording } from '../../../tracing/recording.js';
import { withinTime } from '../time/time_limit.js';
import { createAgent } from './checked_agent.js';
import {
  type CheckAddress,
  type DispatcherOptions,
  dispatcherOptions,
  type HttpClientOptions,
  parseTimeout,
  requestDefaults,
} from './options.js';

// CommonJS through require: an import of it takes Node several times as long.
const { Socket } = process.getBuiltinModule('node:net');
const { destroy } = Socket.prototype;
const { Agent, FetchFactory, HttpClient: Base } = createRequire(import.meta.url)('urllib') as typeof import('urllib');
// urllib replaces it for all sockets of the process, such that two of them cannot be destroyed with one error. It does so for the
// address in errors of connections, which they have anyway.
Socket.prototype.destroy = destroy;
type Agent = InstanceType<typeof Agent>;

/** Milliseconds that requests in flight get when the app closes. */
const CLOSE_LIMIT = 1000;

/** Connections are kept apart by the `checkAddress` of requests; of so many functions at a time. */
const CHECKS_LIMIT = 8;

/** Options of one request: those of urllib 4, and what Egg adds. */
export interface CurlOptions extends Omit<RequestOptions, 'timeout'> {
  /** One time for each phase, or `[headers, body]`; milliseconds or a text such as `'3s'`. */
  timeout?: number | string | (number | string)[];
  /** Refuses addresses before a connection to them is opened. Give the same function each time. */
  checkAddress?: CheckAddress;
  /** Whether a request of `ctx.curl` is aborted when the client of `ctx` leaves; default `config.httpclient.abortWithClient`. */
  abortWithClient?: boolean;
}

/** Options of `fetch()`, and what Clutch adds. */
export interface FetchOptions extends RequestInit {
  /** Refuses addresses before a connection to them is opened. Give the same function each time. */
  checkAddress?: CheckAddress;
  /** The request that it belongs to, for listeners of `request` and `response`. */
  ctx?: unknown;
  /** Whether a request of `ctx.fetch` is aborted when the client of `ctx` leaves; default `config.httpclient.abortWithClient`. */
  abortWithClient?: boolean;
}

/** What urllib gets. */
type SentOptions = RequestOptions & { signal: AbortSignal };

interface Host {
  readonly config: Record<string, unknown>;
  readonly coreLogger: { warn(...args: unknown[]): void };
  tracer?: unknown;
}

/**
 * The client behind `app.curl`: urllib on undici, with connections of its own.
 * Emits `request` ({ url, args, ctx }) before a request is sent, whose `args.headers` may be added to, and `response`
 * ({ error, ctx, req, res }) after it has ended.
 */
export class HttpClient extends Base {
  readonly app: Host;
  readonly #options: DispatcherOptions;
  readonly #agent: Agent;
  /** Ends what is in flight when the app closes. */
  readonly #closing = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #checked = new Map<CheckAddress, Agent>();

  /** @param options override `config.httpclient` */
  constructor(app: Host, options: HttpClientOptions = {}) {
    const config = app.config['httpclient'] as HttpClientOptions;
    const merged = { ...config, ...options };
    super({ defaultArgs: requestDefaults(merged) });
    setMaxListeners(0, this.#closing.signal);
    this.app = app;
    this.#options = dispatcherOptions(merged, (message) => app.coreLogger.warn('[clutch] %s', message));
    this.#agent = createAgent(Agent, this.#options);
    this.setDispatcher(this.#agent);
  }

  /**
   * Sends a request.
   *
   * @throws {Error} HttpClientRequestTimeoutError, HttpClientConnectTimeoutError, IllegalAddressError, AbortError and those of the
   * connection; each has `url`, and `res` with timings
   */
  override async request<T = unknown>(url: RequestURL, options: CurlOptions = {}): Promise<HttpClientResponse<T>> {
    const { checkAddress, abortWithClient: _, ...given } = options;
    const sent: Record<string, unknown> = given;
    if (given.timeout !== undefined) sent['timeout'] = parseTimeout(given.timeout, 'timeout of curl()');
    if (checkAddress) sent['dispatcher'] = this.#agentWith(checkAddress);
    const signal = given.signal as AbortSignal | undefined;
    sent['signal'] = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    sent['tracer'] ??= (given.ctx as { tracer?: unknown } | undefined)?.tracer ?? this.app.tracer;
    let target = url;
    if (given.dataAsQueryString && isRecord(given.data)) {
      target = withQuery(url, given.data);
      delete sent['data'];
    }
    const send = (): Promise<HttpClientResponse<T>> => super.request<T>(target, sent as RequestOptions);
    const response = isTraced(sent['ctx']) ? traceCurl(target, sent, send) : send();
    this.#inFlight.add(response);
    try {
      return await response;
    } catch (error) {
      throw describeFailure(toError(error), target, sent as SentOptions);
    } finally {
      this.#inFlight.delete(response);
    }
  }

  /**
   * Fetches as the standard function does, through the connections of this client. Emits `request` and `response` as well.
   *
   * @param options those of `fetch`, and `checkAddress`
   */
  fetch(url: string | URL, given: FetchOptions = {}): Promise<Response> {
    const { checkAddress, ctx, abortWithClient: _, ...options } = given;
    const factory = new FetchFactory();
    factory.setDispatcher(checkAddress ? this.#agentWith(checkAddress) : this.#agent);
    // A signal of its own, also without one that is given: Node 20 refuses to read the limit of listeners of `#closing`, which is 0.
    const signal = AbortSignal.any([options.signal ?? [], this.#closing.signal].flat());
    // Node's types and those of undici describe the same options.
    const init = { ...options, signal };
    const report = this.#announce(String(url), init, ctx);
    const send = (): Promise<Response> => factory.fetch(url as string, init as object) as Promise<Response>;
    const response = isTraced(ctx) ? traceFetch(url, init, ctx, send) : send();
    this.#inFlight.add(response);
    response.then(
      (head) => {
        this.#inFlight.delete(response);
        report?.(undefined, head);
      },
      (error) => {
        this.#inFlight.delete(response);
        report?.(toError(error));
      },
    );
    return response;
  }

  /** Emits `request`, with headers that may be added to. @returns what emits `response`; undefined if nobody listens */
  #announce(url: string, init: RequestInit, ctx: unknown): ((error?: Error, head?: Response) => void) | undefined {
    if (this.listenerCount('request') + this.listenerCount('response') === 0) return undefined;
    const given = init.headers ?? {};
    const headers: Record<string, string> = Object.fromEntries(
      Symbol.iterator in given
        ? (given as Iterable<[string, string]>)
        : Object.entries(given as Record<string, string>),
    );
    const args = { ...init, headers, ctx };
    const begin = performance.now();
    this.emit('request', { url, args, ctx });
    init.headers = args.headers;
    return (error, head) => {
      const { status, headers: got } = head ?? {};
      const res = { status, headers: got && Object.fromEntries(got), rt: Math.round(performance.now() - begin) };
      this.emit('response', { error, ctx, req: { url, args, options: args }, res });
    };
  }

  override curl<T = unknown>(url: RequestURL, options?: CurlOptions): Promise<HttpClientResponse<T>> {
    return this.request<T>(url, options);
  }

  #agentWith(checkAddress: CheckAddress): Agent {
    let agent = this.#checked.get(checkAddress);
    if (!agent) {
      agent = createAgent(Agent, { ...this.#options, checkAddress });
      this.#checked.set(checkAddress, agent);
      const [oldest] = this.#checked;
      if (oldest && this.#checked.size > CHECKS_LIMIT) {
        this.#checked.delete(oldest[0]);
        oldest[1].close().catch((error: Error) => this.app.coreLogger.warn(error));
      }
    }
    return agent;
  }

  /** Closes its connections; requests in flight get a second. */
  async close(): Promise<void> {
    const settled = Promise.allSettled(this.#inFlight);
    const late = await withinTime('requests in flight', CLOSE_LIMIT, settled).catch((error: Error) => error);
    if (late instanceof Error) this.app.coreLogger.warn('[clutch] httpclient: %s', late.message);
    // What is left, streams included, ends here; the connections are idle then.
    this.#closing.abort(new Error('aborted, the app closes'));
    await Promise.all([this.#agent, ...this.#checked.values()].map((agent) => agent.close()));
  }
}

function clientTrace(url: RequestURL, method: string | undefined, ctx: unknown): HttpClientTrace {
  const headers = {};
  return {
    ctx: (ctx as Context | undefined) ?? currentContext(),
    method: method?.toUpperCase() ?? 'GET',
    url: String(url),
    headers,
  };
}

function isTraced(ctx: unknown): boolean {
  if (channels.httpclient.hasSubscribers) return true;
  return recording.open !== undefined && isRecorded((ctx as Context | undefined) ?? currentContext());
}

function traceCurl<T>(
  url: RequestURL,
  options: RequestOptions,
  send: () => Promise<HttpClientResponse<T>>,
): Promise<HttpClientResponse<T>> {
  const payload = clientTrace(url, options.method, options.ctx);
  return trace('httpclient', payload, async () => {
    options.headers = { ...options.headers, ...payload.headers };
    const response = await send();
    payload.status = response.status;
    return response;
  });
}

function traceFetch(
  url: string | URL,
  init: RequestInit,
  ctx: unknown,
  send: () => Promise<Response>,
): Promise<Response> {
  const payload = clientTrace(url, init.method, ctx);
  return trace('httpclient', payload, async () => {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(payload.headers)) headers.set(name, value);
    init.headers = headers;
    const response = await send();
    payload.status = response.status;
    return response;
  });
}

function isRecord(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value);
}

function withQuery(url: RequestURL, data: Record<string, string>): string {
  const text = String(url);
  return `${text}${text.includes('?') ? '&' : '?'}${new URLSearchParams(data)}`;
}

/**
 * Says which request has failed. `status` and `headers` of the response stay in `error.res` alone: an error handler would
 * answer the client of this app with them.
 */
function describeFailure(error: Error, url: RequestURL, { method = 'GET', signal }: SentOptions): Error {
  const { origin, pathname } = new URL(String(url), 'http://unknown');
  // The query is left out: this goes to logs.
  const place = `${origin}${pathname}`;
  const { res } = error as { res?: { rt: number } };
  const took = res === undefined ? '' : `, ${Math.round(res.rt)} ms`;
  const message = `${error.message} (${method.toUpperCase()} ${place}${took})`;
  // The reason of an abort is one error for all requests that it ends.
  const failed = signal.aborted ? Object.assign(new Error(message), { name: 'AbortError', res }) : error;
  Object.defineProperty(failed, 'message', { value: message, writable: true, configurable: true });
  if ((failed as NodeJS.ErrnoException).code === 'ENETUNREACH') failed.name = 'HttpClientError';
  const fields = Object.assign(failed as Error & Record<string, unknown>, { url: place });
  delete fields['headers'];
  delete fields['status'];
  for (const key of ['res', 'socket', 'opaque', '_rawSocket']) {
    // A log line of the error would hold the whole response.
    if (key in fields) Object.defineProperty(fields, key, { enumerable: false });
  }
  return failed;
}
