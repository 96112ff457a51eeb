import { setMaxListeners } from 'node:events';
import type { HttpClientResponse, RequestURL } from 'urllib';
import type { Context } from '../../../core/index.js';
import { refusal, toError } from '../../../errors.js';
import type { CurlOptions, FetchOptions } from './http_client.js';

/** Sends requests on behalf of one request: they carry its `ctx`, and are aborted when its client leaves. */
export class ContextHttpClient {
  readonly ctx: Context;
  #abort: AbortController | undefined;

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  request<T = unknown>(url: RequestURL, options: CurlOptions = {}): Promise<HttpClientResponse<T>> {
    return this.#send(options, (bound) => this.ctx.app.curl<T>(url, bound));
  }

  /** The standard `fetch`, through the connections of `app.httpclient`. */
  fetch(url: string | URL, options: FetchOptions = {}): Promise<Response> {
    return this.#send(options, (bound) => this.ctx.app.fetch(url, bound));
  }

  async #send<O extends CurlOptions | FetchOptions, R>(options: O, send: (bound: O) => Promise<R>): Promise<R> {
    const { ctx } = this;
    const { abortWithClient = ctx.app.config.httpclient.abortWithClient } = options;
    const leaves = abortWithClient ? this.#clientLeaves() : undefined;
    const given = options.signal as AbortSignal | null | undefined;
    const signal = leaves && given ? AbortSignal.any([leaves, given]) : (leaves ?? given ?? undefined);
    try {
      return await send({ ...options, ctx, signal });
    } catch (error) {
      // Nobody is there to get a response: this is no fault of the service.
      if (leaves?.aborted) throw refusal(Object.assign(toError(error), { status: 499 }));
      throw error;
    }
  }

  curl<T = unknown>(url: RequestURL, options?: CurlOptions): Promise<HttpClientResponse<T>> {
    return this.request<T>(url, options);
  }

  /** One listener for all requests of a context; there is none in a context without a client. */
  #clientLeaves(): AbortSignal | undefined {
    const { res } = this.ctx;
    if (!this.#abort && typeof res.once === 'function') {
      const abort = new AbortController();
      setMaxListeners(0, abort.signal);
      if (res.destroyed && !res.writableFinished) abort.abort(clientLeft());
      else {
        res.once('close', () => {
          if (!res.writableFinished) abort.abort(clientLeft());
        });
      }
      this.#abort = abort;
    }
    return this.#abort?.signal;
  }
}

function clientLeft(): Error {
  return Object.assign(new Error('aborted, the client that this was for has left'), { name: 'AbortError' });
}
