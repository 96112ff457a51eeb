import { type Channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { Outcome, TraceName, TracePayloads } from './payloads.js';
import { isRecorded, type RecordedName, type RecordedPayload, recording } from './recording.js';

type Channels = { readonly [K in TraceName]: TracingChannel<unknown, TracePayloads[K]> };

/** Node keeps a channel only as long as somebody refers to it: these are kept here. */
export const channels: Channels = {
  boot: tracingChannel('clutch:boot'),
  hook: tracingChannel('clutch:hook'),
  request: tracingChannel('clutch:request'),
  middleware: tracingChannel('clutch:middleware'),
  controller: tracingChannel('clutch:controller'),
  service: tracingChannel('clutch:service'),
  view: tracingChannel('clutch:view'),
  httpclient: tracingChannel('clutch:httpclient'),
  message: tracingChannel('clutch:message'),
  schedule: tracingChannel('clutch:schedule'),
  job: tracingChannel('clutch:job'),
  reload: tracingChannel('clutch:reload'),
  death: tracingChannel('clutch:death'),
};

/**
 * Runs `call` and publishes its beginning and end, as TracingChannel does. A function that returns no promise stays
 * synchronous, and a promise with members of its own stays itself.
 *
 * Ask `channels[name].hasSubscribers` before the payload is made: without a subscriber it should cost nothing.
 */
export function trace<K extends TraceName, R>(name: K, payload: TracePayloads[K], call: () => R): R {
  const { recorder } = recording;
  if (recorder && recordedOf(payload)) {
    return recorder.run(name as RecordedName, payload as RecordedPayload, () => publish(name, payload, call));
  }
  return publish(name, payload, call);
}

function publish<K extends TraceName, R>(name: K, payload: TracePayloads[K], call: () => R): R {
  return (channels[name].start as Channel<unknown>).runStores(payload, run, undefined, name, payload, call) as R;
}

/** @returns the payload of an operation that belongs to a request that is recorded */
function recordedOf(payload: object): RecordedPayload | undefined {
  return recording.open && 'ctx' in payload && isRecorded(payload.ctx as never) ? (payload as never) : undefined;
}

function run<R>(name: TraceName, payload: Outcome, call: () => R): R {
  const { end } = channels[name];
  let result: R;
  try {
    result = call();
  } catch (error) {
    publishError(name, payload as never, error);
    end.publish(payload as never);
    endRecorded(payload);
    throw error;
  }
  if (!(result instanceof Promise)) {
    payload.result = result;
    end.publish(payload as never);
    endRecorded(payload);
    return result;
  }
  end.publish(payload as never);
  const succeed = (value: unknown): unknown => {
    payload.result = value;
    publishLate(name, payload as never);
    return value;
  };
  const fail = (error: unknown): void => {
    publishError(name, payload as never, error);
    publishLate(name, payload as never);
  };
  if (Object.getPrototypeOf(result) !== Promise.prototype) {
    result.then(succeed, fail);
    return result;
  }
  return result.then(succeed, (error: unknown) => {
    fail(error);
    throw error;
  }) as R;
}

/** An operation that has begun: for one that no single function call spans. @returns the function that ends it */
export function begin<K extends TraceName>(name: K, payload: TracePayloads[K]): (error?: unknown) => void {
  const { start, end }: TracingChannel<unknown, TracePayloads[K]> = channels[name];
  start.runStores(payload, () => end.publish(payload));
  return (error) => {
    if (error !== undefined) publishError(name, payload, error);
    publishLate(name, payload);
  };
}

export function publishError<K extends TraceName>(name: K, payload: TracePayloads[K], error: unknown): void {
  payload.error = error;
  channels[name].error.publish(payload as never);
}

/** An operation has ended after the call that has begun it. */
export function publishLate<K extends TraceName>(name: K, payload: TracePayloads[K]): void {
  const { asyncStart, asyncEnd } = channels[name];
  asyncStart.publish(payload as never);
  asyncEnd.publish(payload as never);
  endRecorded(payload);
}

function endRecorded(payload: object): void {
  const recorded = recordedOf(payload);
  if (recorded) recording.recorder?.end(recorded);
}

interface Observer<P> {
  start?(payload: P): void;
  /** Called once, whether the operation was synchronous or not. */
  end?(payload: P): void;
}

/** Subscribes to the beginnings and ends of operations. @returns the function that unsubscribes */
export function observe<K extends TraceName>(name: K, observer: Observer<TracePayloads[K]>): () => void {
  const channel: TracingChannel<unknown, TracePayloads[K]> = channels[name];
  const subscribers = {
    start: (payload: TracePayloads[K]) => observer.start?.(payload),
    // The outcome of a promise is not known yet.
    end: (payload: TracePayloads[K]) => {
      if (hasEnded(payload)) observer.end?.(payload);
    },
    asyncStart: () => undefined,
    asyncEnd: (payload: TracePayloads[K]) => observer.end?.(payload),
    error: () => undefined,
  };
  channel.subscribe(subscribers as never);
  return () => channel.unsubscribe(subscribers as never);
}

function hasEnded(payload: Outcome): boolean {
  return 'result' in payload || 'error' in payload;
}

const STORAGE = Symbol.for('gals#asyncLocalStorage');

/** @returns the context of the request that is being handled, for rooms that know nothing of an app */
export function currentContext(): TracePayloads['httpclient']['ctx'] {
  const { [STORAGE]: storage } = globalThis as { [STORAGE]?: { getStore(): TracePayloads['httpclient']['ctx'] } };
  return storage?.getStore();
}
