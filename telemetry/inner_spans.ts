import { createContextKey, propagation, SpanKind, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api';
import type { TraceName, TracePayloads } from '../tracing/payloads.js';
import { clientAttributes, methodAttributes, methodName, pick } from './http_attributes.js';
import type { CompleteOptions } from './options.js';
import type { Providers } from './providers.js';
import { errorType, traceSpans } from './spans.js';

/** Where `@opentelemetry/core` keeps that nothing is to be traced. */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

type Described = { name: string; attributes: NonNullable<SpanOptions['attributes']> };

/** Spans of what happens inside a request, wherever there is one: without it, a service of a boot hook would be a trace of its own. */
export function traceInside({ tracer }: Providers, options: CompleteOptions): (() => void)[] {
  const trace_ = <K extends TraceName>(name: K, describe: (payload: TracePayloads[K]) => Described): (() => void) =>
    traceSpans(name, tracer, {
      begin(payload, active) {
        if (!trace.getSpan(active)) return undefined;
        const { name: title, attributes } = describe(payload);
        return { name: title, options: { attributes } };
      },
    });
  const stops: (() => void)[] = [];
  if (options.middleware) {
    stops.push(
      trace_('middleware', ({ name }) => ({ name: `middleware ${name}`, attributes: { 'clutch.middleware': name } })),
    );
  }
  if (options.controller) {
    stops.push(
      trace_('controller', ({ name, file }) => ({
        name: `controller ${name}`,
        attributes: { 'code.function.name': name, ...(file && { 'code.file.path': file }) },
      })),
    );
  }
  if (options.service) {
    stops.push(
      trace_('service', ({ property, name }) => ({
        name: `${property} ${name}`,
        attributes: { 'code.function.name': name },
      })),
    );
  }
  if (options.view) {
    stops.push(
      trace_('view', ({ name, engine }) => ({
        name: `view ${name.slice(name.lastIndexOf('/') + 1)}`,
        attributes: { 'clutch.view.template': name, 'clutch.view.engine': engine },
      })),
    );
  }
  return stops;
}

/** Requests to other services, which carry the context in their headers. */
export function traceHttpClient({ tracer, instruments }: Providers): () => void {
  const starts = new WeakMap<TracePayloads['httpclient'], number>();
  return traceSpans('httpclient', tracer, {
    begin({ method, url }) {
      const attributes = clientAttributes(method, url);
      return { name: methodName(method), options: { kind: SpanKind.CLIENT, attributes } };
    },
    begun(payload, inside) {
      starts.set(payload, performance.now());
      propagation.inject(inside, payload.headers);
      // An instrumentation of undici would make one more span of it, and one more header.
      return inside.setValue(SUPPRESS_TRACING, true);
    },
    end(payload, span) {
      const { status, error, method, url } = payload;
      const outcome = {
        ...(status === undefined ? {} : { 'http.response.status_code': status }),
        ...(error === undefined && (status ?? 0) < 400
          ? {}
          : { 'error.type': error ? errorType(error) : String(status) }),
      };
      if (error === undefined && (status ?? 0) >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttributes(outcome);
      instruments().clientDuration.record((performance.now() - (starts.get(payload) ?? 0)) / 1000, {
        ...methodAttributes(method),
        ...pick(clientAttributes(method, url), ['server.address', 'server.port']),
        ...outcome,
      });
    },
  });
}
