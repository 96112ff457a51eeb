import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parseFrames, withoutOwnFrames } from '../../output/frames.js';

// A built-in module that most processes have loaded; its hooks are made when the first request is traced.
const { AsyncLocalStorage, createHook, executionAsyncId } = process.getBuiltinModule('node:async_hooks');

/** Requests that are traced at a time, and milliseconds between the beginnings of two: tracing slows the whole process down. */
const MOST_TRACED = 4;
const PAUSE = 50;
/** What is remembered of each: the oldest is forgotten. */
const MOST_PENDING = 2000;
/** Frames of a stack that are looked at, and that are shown. */
const DEPTH = 30;
const SHOWN = 10;

interface Created {
  type: string;
  /** Async id of the promise that this one follows: what is awaited, or the receiver of `then`. */
  follows?: number | undefined;
  /** Written out when it is read. */
  stack?: string;
}

/** What a request has begun and not ended, by the async ids of Node, in its order. */
type Pending = Map<number, Created>;

interface Tracer {
  enable(): void;
  disable(): void;
  run(pending: Pending, handle: () => void): void;
}

/**
 * Traces some requests of routes that have not responded in time before: V8 keeps no stack of a promise that is pending, so each has
 * to be taken down when it is made. The stack of the last one that is pending, and follows no other, shows where the request waits,
 * and, by V8's own async stack, who waits for that.
 */
export class RequestTraces {
  readonly #routeFor: (method: string, path: string) => string | undefined;
  #suspects: ReadonlySet<string> = new Set();
  readonly #traced = new Map<ServerResponse, Pending>();
  #tracer: Tracer | undefined;
  #lastBegin = 0;

  /** @param routeFor finds the path of the route that a request will take */
  constructor(routeFor: (method: string, path: string) => string | undefined) {
    this.#routeFor = routeFor;
  }

  /** Whether there is anything to trace. */
  get isArmed(): boolean {
    return this.#suspects.size > 0;
  }

  /** @param routes method and path of the routes whose next requests are traced, as `GET /users/:id` */
  watch(routes: readonly string[]): void {
    this.#suspects = new Set(routes);
  }

  /** Handles a request, and traces it if it is one of those. */
  handle(req: IncomingMessage, res: ServerResponse, listener: RequestListener): void {
    const now = performance.now();
    if (this.#traced.size >= MOST_TRACED || now - this.#lastBegin < PAUSE || !this.#isSuspect(req)) {
      listener(req, res);
      return;
    }
    this.#lastBegin = now;
    this.#tracer ??= createTracer(this.#traced);
    const pending: Pending = new Map();
    if (this.#traced.size === 0) this.#tracer.enable();
    this.#traced.set(res, pending);
    res.once('close', () => {
      this.#traced.delete(res);
      if (this.#traced.size === 0) this.#tracer?.disable();
    });
    this.#tracer.run(pending, () => listener(req, res));
  }

  #isSuspect({ method = '', url = '' }: IncomingMessage): boolean {
    const path = url.split('?', 1)[0] as string;
    return this.#suspects.has(`${method} ${this.#routeFor(method, path) ?? path}`);
  }

  /** @returns where a request waits: frames of the app and its packages, innermost first; undefined if it is not traced */
  stackOf(res: ServerResponse): string | undefined {
    const pending: Pending = this.#traced.get(res) ?? new Map();
    const created = [...pending.values()].reverse();
    // What awaits is a promise; other resources are of code with callbacks. The last promise may be the `await` of a middleware
    // around what is waited for, and follows another pending one then.
    const promises = created.filter(({ type }) => type === 'PROMISE');
    const first = promises.filter(({ follows }) => follows === undefined || !pending.has(follows));
    const ordered = [...first, ...promises, ...created];
    for (const { stack = '' } of ordered) {
      if (!parseFrames(stack).some(({ owner }) => owner === 'app' || owner === 'package')) continue;
      return withoutOwnFrames(stack)
        .split('\n')
        .slice(1, SHOWN + 1)
        .map((line) => line.trim())
        .join('\n');
    }
    return undefined;
  }
}

function createTracer(traced: ReadonlyMap<unknown, Pending>): Tracer {
  const storage = new AsyncLocalStorage<Pending>();
  const forget = (id: number): void => {
    for (const pending of traced.values()) pending.delete(id);
  };
  const hook = createHook({
    init(id, type, trigger) {
      const pending = storage.getStore();
      if (!pending) return;
      const created: Created = { type, follows: trigger === executionAsyncId() ? undefined : trigger };
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = DEPTH;
      Error.captureStackTrace(created, this.init);
      Error.stackTraceLimit = stackTraceLimit;
      pending.set(id, created);
      if (pending.size <= MOST_PENDING) return;
      const [oldest] = pending.keys();
      pending.delete(oldest as number);
    },
    promiseResolve: forget,
    // A promise that nothing can resolve any more is collected as garbage: that is what hangs.
    destroy(id) {
      for (const pending of traced.values()) if (pending.get(id)?.type !== 'PROMISE') pending.delete(id);
    },
  });
  return {
    enable: () => void hook.enable(),
    disable() {
      hook.disable();
      storage.disable();
    },
    run: (pending, handle) => storage.run(pending, handle),
  };
}
