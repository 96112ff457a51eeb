import { context, trace } from '@opentelemetry/api';
import { type LogTrace, logChannel } from '../tracing/log_channel.js';
import type { CompleteOptions } from './options.js';
import type { Providers } from './providers.js';
import { spanOfRequest } from './request_spans.js';
import { guard } from './spans.js';

/** Severity numbers of OpenTelemetry by our levels. */
const SEVERITY: Record<string, number> = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 };

/** Gives lines the ids of the span that they are written in, and makes log records of them. */
export function traceLogs({ logger }: Providers, { logs }: CompleteOptions): () => void {
  const subscriber = (line: unknown): void => guard(() => add(line as LogTrace), undefined);
  const add = (line: LogTrace): void => {
    const active = context.active();
    const span = trace.getSpan(active) ?? spanOfRequest(line.ctx);
    const ids = span?.spanContext();
    if (ids) Object.assign(line, { traceId: ids.traceId, spanId: ids.spanId });
    const severityNumber = SEVERITY[line.level];
    if (!logs || severityNumber === undefined) return;
    logger()?.emit({
      severityNumber,
      severityText: line.level,
      body: line.message,
      attributes: { 'log.file.path': line.file },
      context: span ? trace.setSpan(active, span) : active,
    });
  };
  logChannel.subscribe(subscriber);
  return () => void logChannel.unsubscribe(subscriber);
}
