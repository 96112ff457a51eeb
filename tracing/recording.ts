import type { TracedContext, TracePayloads } from './payloads.js';

/** The operations of a request. */
export type RecordedName = 'request' | 'middleware' | 'controller' | 'service' | 'view' | 'httpclient' | 'message';
export type RecordedPayload = TracePayloads[RecordedName];

/**
 * Sees the operations of the few requests that it chooses. It does not subscribe to the channels, so that all other requests go
 * their usual way, and V8 keeps the code that it has compiled for them.
 */
export interface Recorder {
  /** Whether a request that begins is recorded; it is one of `open` then. */
  choose(ctx: TracedContext): boolean;
  /** Runs an operation of a request that is recorded. */
  run<R>(name: RecordedName, payload: RecordedPayload, call: () => R): R;
  end(payload: RecordedPayload): void;
}

interface Recording {
  recorder: Recorder | undefined;
  /** Requests that are recorded and have not ended; undefined while there is none. */
  open: Set<TracedContext> | undefined;
}

const RECORDING = Symbol.for('koa-clutch#recording');
const shared = globalThis as { [RECORDING]?: Recording };

/** One for the process: the cluster and the framework may be of two copies of this package. */
export const recording: Recording = (shared[RECORDING] ??= { recorder: undefined, open: undefined });

export function isRecorded(ctx: TracedContext | undefined): boolean {
  return recording.open !== undefined && ctx !== undefined && recording.open.has(ctx);
}

/** Asked once for each request, when it begins. */
export function isChosen(ctx: TracedContext): boolean {
  return recording.recorder?.choose(ctx) === true;
}
