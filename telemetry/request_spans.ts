import {
  type Attributes,
  type Context,
  createContextKey,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { observe } from '../tracing/channels.js';
import type { RequestTrace, TracedContext } from '../tracing/payloads.js';
import { headerGetter, methodName, pick, requestAttributes, splitTarget } from './http_attributes.js';
import type { CompleteOptions } from './options.js';
import type { Providers } from './providers.js';
import { errorType, guard, traceSpans } from './spans.js';

/** Where `@opentelemetry/core` keeps what the instrumentations of `http` and of frameworks tell each other. */
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

/** Attributes of the metrics. */
const OF_ACTIVE = ['http.request.method', 'url.scheme'];
const OF_DURATION = [...OF_ACTIVE, 'network.protocol.version'];

interface TracedRequest {
  span: Span;
  /** Where the instrumentation of `http` looks for the route. */
  metadata: { route?: string } | undefined;
}

const requests = new WeakMap<TracedContext, TracedRequest>();

/** @returns the span of a request, which outlives the functions that it is active in */
export function spanOfRequest(ctx: TracedContext | undefined): Span | undefined {
  return ctx && requests.get(ctx)?.span;
}

/**
 * A server span for each request. Where the instrumentation of Node's `http` has made one, that one gets the route and the errors,
 * and the metrics are left to it.
 */
export function traceRequests({ tracer, instruments }: Providers, { ignorePaths }: CompleteOptions): () => void {
  const stops = [
    traceSpans('request', tracer, {
      begin(request, active) {
        const { ctx, method, url } = request;
        const present = serverSpan(active);
        if (present) {
          const metadata = active.getValue(RPC_METADATA) as TracedRequest['metadata'];
          remember(ctx, { span: present, metadata });
          return undefined;
        }
        if (isIgnored(splitTarget(url)[0], ignorePaths)) return undefined;
        const attributes = requestAttributes(request, ctx.req);
        const parent = propagation.extract(active, ctx.req.headers, headerGetter);
        return { name: methodName(method), options: { kind: SpanKind.SERVER, attributes }, parent };
      },
      begun(request, inside, span) {
        remember(request.ctx, { span, metadata: undefined });
        instruments().activeRequests.add(1, pick(attributesOf(request), OF_ACTIVE));
        return inside;
      },
      // By the conventions, what the client did wrong is no error of the server.
      isFault: ({ status }) => status >= 500,
      end(request, span) {
        const { status, start, error, route } = request;
        setRoute(request.ctx);
        span.setAttribute('http.response.status_code', status);
        const outcome: Attributes = { 'http.response.status_code': status };
        if (status >= 500) {
          if (error === undefined) span.setStatus({ code: SpanStatusCode.ERROR });
          outcome['error.type'] = error === undefined ? String(status) : errorType(error);
        }
        span.setAttributes(outcome);
        if (route !== undefined) outcome['http.route'] = route;
        const attributes = attributesOf(request);
        instruments().activeRequests.add(-1, pick(attributes, OF_ACTIVE));
        instruments().requestDuration.record((performance.now() - start) / 1000, {
          ...pick(attributes, OF_DURATION),
          ...outcome,
        });
      },
    }),
    // The route is known by now, and the instrumentation of `http` reads it when the response ends.
    observe('controller', { start: ({ ctx }) => guard(() => setRoute(ctx), undefined) }),
    observe('request', { end: (request) => guard(() => failPresent(request), undefined) }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function attributesOf(request: RequestTrace): Attributes {
  return requestAttributes(request, request.ctx.req);
}

function remember(ctx: TracedContext, request: TracedRequest): void {
  requests.set(ctx, request);
  // Lines of the request have it in brackets, unless the app sets a trace id of its own.
  if (!('traceId' in ctx) && !('tracer' in ctx)) Object.assign(ctx, { traceId: request.span.spanContext().traceId });
}

/** @returns the span of the instrumentation of `http`, which begins right before our own would; a test's own client may have others */
function serverSpan(active: Context): Span | undefined {
  const span = trace.getSpan(active);
  // One that is not sampled has no kind.
  const { span: known } = (active.getValue(RPC_METADATA) ?? {}) as { span?: Span };
  const { kind } = (span ?? {}) as { kind?: SpanKind };
  return span !== undefined && (span === known || kind === SpanKind.SERVER) ? span : undefined;
}

function setRoute(ctx: TracedContext): void {
  const { routerPath, method } = ctx;
  const request = requests.get(ctx);
  if (!request || routerPath === undefined) return;
  const route = String(routerPath);
  request.span.setAttribute('http.route', route).updateName(`${methodName(method)} ${route}`);
  if (request.metadata) request.metadata.route = route;
}

/** The span of the instrumentation of `http` knows the status, but not the error behind it. */
function failPresent({ ctx, status, error }: RequestTrace): void {
  const request = requests.get(ctx);
  if (!request?.metadata || error === undefined || status < 500) return;
  if (error instanceof Error) request.span.recordException(error);
}

function isIgnored(path: string, patterns: CompleteOptions['ignorePaths']): boolean {
  return patterns.some((pattern) => (typeof pattern === 'string' ? path.startsWith(pattern) : pattern.test(path)));
}
