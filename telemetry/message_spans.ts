import { type Attributes, type Context, propagation, SpanKind, trace } from '@opentelemetry/api';
import type { MessageTrace } from '../tracing/payloads.js';
import type { CompleteOptions } from './options.js';
import type { Providers } from './providers.js';
import { traceSpans } from './spans.js';

/** What the runtime and its plugins send: their context travels, and they get no spans. */
const INTERNAL = /^(?:egg|clutch)[-:]/;

/**
 * Spans on both ends of messages, requests and calls of a Leader that belong to a trace, whose context they carry. What belongs to
 * none, such as a heartbeat, gets no spans.
 */
export function traceMessages({ tracer }: Providers, { message: withSpans }: CompleteOptions): () => void {
  return traceSpans('message', tracer, {
    begin(payload, active) {
      const { direction, carrier, name } = payload;
      const parent = direction === 'in' ? propagation.extract(active, carrier) : active;
      if (!trace.getSpan(parent)) return undefined;
      if (!withSpans || INTERNAL.test(name)) {
        send(payload, parent);
        return { context: parent };
      }
      return { ...describe(payload), parent };
    },
    begun(payload, inside) {
      send(payload, inside);
      return inside;
    },
  });
}

function send({ direction, carrier }: MessageTrace, inside: Context): void {
  if (direction === 'out') propagation.inject(inside, carrier);
}

function describe({ direction, kind, name, peer }: MessageTrace): {
  name: string;
  options: { kind: SpanKind; attributes: Attributes };
} {
  const where: Attributes = peer === undefined ? {} : { 'clutch.peer': peer };
  if (kind === 'request' || kind === 'stream' || kind === 'invoke') {
    // A cluster client's name, then its method; the action of a request may have dots of its own.
    const dot = kind === 'invoke' ? name.lastIndexOf('.') : -1;
    return {
      name,
      options: {
        kind: direction === 'out' ? SpanKind.CLIENT : SpanKind.SERVER,
        attributes: {
          ...where,
          'rpc.system': 'clutch',
          'rpc.method': name.slice(dot + 1),
          ...(dot > 0 && { 'rpc.service': name.slice(0, dot) }),
        },
      },
    };
  }
  const operation = direction === 'out' ? 'send' : 'process';
  return {
    name: `${operation} ${name}`,
    options: {
      kind: direction === 'out' ? SpanKind.PRODUCER : SpanKind.CONSUMER,
      attributes: {
        ...where,
        'messaging.system': 'clutch',
        'messaging.operation.name': operation,
        'messaging.operation.type': operation,
        'messaging.destination.name': name,
      },
    },
  };
}
