import { AsyncResource } from 'node:async_hooks';
import { toError } from '../../errors.js';

/** A response that is complete and can be sent later in its event-loop iteration. */
export interface PendingResponse {
  /** Sends it, unless that has been done. */
  sendNow(): void;
  /** Gives it up, and closes its connection. */
  destroy(error: Error): unknown;
}

interface Entry {
  response: PendingResponse;
  /** The async context of the request, in which listeners of its end run. */
  scope: AsyncResource;
}

/**
 * `unbatched`: each response is sent at once; after `UNBATCHED` of them it is probed whether many come together.
 * `probing`: as before, until the iteration has ended.
 * `batching`: responses wait for the end of their iteration.
 */
type State = 'unbatched' | 'probing' | 'batching';

/** Milliseconds after which responses no longer wait for others of their iteration. */
const MAX_WAIT = 2;
/** An iteration with fewer responses than FEW is too quiet to batch; after FEW_ITERATIONS of them batching stops. */
const FEW = 4;
const FEW_ITERATIONS = 4;
const UNBATCHED = 100;

const { now } = Date;

/**
 * The responses of one event-loop iteration. While there are many they are sent together at its end, as Redis does with its
 * replies: the client is woken once and not for each of them, and the code that sends and the code that handles requests do
 * not evict each other from the processor's caches.
 */
class ResponseBatch {
  #state: State = 'unbatched';
  #untilProbe = UNBATCHED;
  #quietIterations = 0;
  #entries: Entry[] = [];
  /** When the first of the entries was added, in milliseconds since the epoch. */
  #since = 0;
  #end: NodeJS.Immediate | undefined;
  readonly #outside = new AsyncResource('ClutchResponseBatch');

  constructor() {
    process.on('exit', () => this.#sendAll());
  }

  /** @returns false if the response is to be sent at once */
  add(response: PendingResponse): boolean {
    if (this.#state !== 'batching') {
      if (this.#state === 'unbatched' && --this.#untilProbe <= 0) this.#enter('probing');
      return false;
    }
    const time = now();
    if (this.#entries.length === 0) {
      this.#since = time;
      this.#end?.ref();
    } else if (time - this.#since >= MAX_WAIT) {
      // A slow handler keeps them waiting.
      this.#enter('unbatched');
      return false;
    }
    this.#entries.push({ response, scope: new AsyncResource('ClutchResponse') });
    return true;
  }

  #enter(state: State): void {
    this.#state = state;
    if (state === 'probing') {
      this.#schedule();
    } else if (state === 'unbatched') {
      this.#untilProbe = UNBATCHED;
      this.#quietIterations = 0;
      clearImmediate(this.#end);
      this.#sendAll();
    }
  }

  /** Scheduled before the iteration that it ends, so that a handler's own `setImmediate` runs after the responses are sent. */
  #schedule(): void {
    this.#end = this.#outside.runInAsyncScope(setImmediate, undefined, this.#endIteration) as NodeJS.Immediate;
    this.#end.unref();
  }

  readonly #endIteration = (): void => {
    if (this.#state === 'probing') this.#enter('batching');
    else this.#quietIterations = this.#entries.length < FEW ? this.#quietIterations + 1 : 0;
    if (this.#quietIterations < FEW_ITERATIONS) {
      this.#schedule();
      this.#sendAll();
    } else {
      this.#enter('unbatched');
    }
  };

  #sendAll(): void {
    const entries = this.#entries;
    if (entries.length === 0) return;
    this.#entries = [];
    for (const { response, scope } of entries) {
      try {
        scope.runInAsyncScope(response.sendNow, response);
      } catch (error) {
        // The error reaches `ctx.onerror` through the socket; the other responses are sent.
        response.destroy(toError(error));
      }
    }
  }
}

export const responseBatch = new ResponseBatch();
