import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  context,
  diag,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { channels, observe } from '../tracing/channels.js';
import type { TraceName, TracePayloads } from '../tracing/payloads.js';

/** A span that is to begin. */
interface NewSpan {
  name: string;
  options?: SpanOptions;
  /** The context it begins in; default the active one. */
  parent?: Context;
}

interface Spans<P> {
  /** @returns undefined to go on without a span of its own, or only a context to go on in */
  begin(payload: P, active: Context): NewSpan | { context: Context } | undefined;
  /** The span has begun, in `inside`. @returns the context that the operation runs in; default `inside` */
  begun?(payload: P, inside: Context, span: Span): Context;
  /** The operation has ended, and the span is about to. */
  end?(payload: P, span: Span): void;
  /** Whether `payload.error` is one of the span; default always. */
  isFault?(payload: P): boolean;
}

/**
 * A store for `bindStore` of a channel that makes a context the active one. Only OpenTelemetry knows where it keeps that, and
 * Node calls nothing but `run` of a bound store.
 */
class ActiveContext extends AsyncLocalStorage<Context> {
  override run<R>(inside: Context, callback: (...args: never[]) => R, ...args: unknown[]): R {
    return context.with(inside, callback as (...args: unknown[]) => R, undefined, ...args);
  }
}

const activeContext = new ActiveContext();

/** Makes spans of what a channel publishes, as children of the span that is active. @returns the function that stops it */
export function traceSpans<K extends TraceName>(
  name: K,
  tracer: () => Tracer,
  spans: Spans<TracePayloads[K]>,
): () => void {
  const open = new WeakMap<object, Span>();
  const begin = (payload: TracePayloads[K]): Context => {
    const active = context.active();
    const begun = spans.begin(payload, active);
    if (begun === undefined) return active;
    if ('context' in begun) return begun.context;
    const { parent = active, options } = begun;
    const span = tracer().startSpan(begun.name, options, parent);
    open.set(payload, span);
    const inside = trace.setSpan(parent, span);
    return spans.begun?.(payload, inside, span) ?? inside;
  };
  const { start } = channels[name];
  start.bindStore(activeContext, (payload) => guard(() => begin(payload as TracePayloads[K]), context.active()));
  const stop = observe(name, {
    end(payload) {
      const span = open.get(payload);
      if (!span) return;
      open.delete(payload);
      guard(() => {
        if (payload.error !== undefined && spans.isFault?.(payload) !== false) recordError(span, payload.error);
        spans.end?.(payload, span);
      }, undefined);
      span.end();
    },
  });
  return () => {
    start.unbindStore(activeContext);
    stop();
  };
}

/** An error in here must not end the process, as one of a subscriber of a channel does. */
export function guard<T>(run: () => T, otherwise: T): T {
  try {
    return run();
  } catch (error) {
    diag.error('koa-clutch/telemetry', error);
    return otherwise;
  }
}

function recordError(span: Span, thrown: unknown): void {
  const { message } = describeError(thrown);
  span.recordException(thrown instanceof Error ? thrown : message);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.setAttribute('error.type', errorType(thrown));
}

/** @returns what `error.type` says of it: its code, else its name */
export function errorType(thrown: unknown): string {
  const { code, name } = describeError(thrown);
  return String(code ?? name);
}

function describeError(thrown: unknown): { message: string; name: string; code?: unknown } {
  if (thrown instanceof Error) return thrown;
  return { message: String(thrown), name: typeof thrown };
}
