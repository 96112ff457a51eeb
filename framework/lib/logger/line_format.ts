import type { Masker } from '../../../output/secrets.js';
import { formatError } from './error_text.js';
import { formatText } from './format.js';

/** The request that a line belongs to, for its bracketed part. */
export interface LogContext {
  method: string;
  url: string;
  ip?: string;
  /** Milliseconds since the epoch. */
  starttime?: number;
  /** Milliseconds of `performance.now()`. */
  performanceStarttime?: number;
  userId?: unknown;
  traceId?: string;
  tracer?: { traceId?: string };
}

/** What a formatter gets of a line. */
export interface LineMeta {
  level: string;
  /** `YYYY-MM-DD HH:mm:ss,SSS`. */
  date: string;
  pid: number;
  hostname: string;
  message: string;
  /** Inside a request: `[userId/ip/traceId/use-timems METHOD url]`. */
  paddingMessage?: string;
  ctx?: LogContext | undefined;
  /** Of the span that the line was written in, while a tracer is on. */
  trace_id?: string;
  span_id?: string;
}

export type LineFormatter = (meta: LineMeta) => string;

/** @returns the text of a log call: `util.format`, or an error with stack, own properties and causes; secrets masked */
export function formatMessage(args: readonly unknown[], masker: Masker, maxCauses: number): string {
  const first = args[0];
  if (args.length === 1 && typeof first === 'string') return masker.maskText(first);
  if (first instanceof Error) return masker.maskText(formatError(first, masker, maxCauses));
  return formatText(args, masker);
}

/** @returns `[userId/ip/traceId/use-timems METHOD url]` */
export function formatContext(ctx: LogContext, masker: Masker): string {
  const { userId, ip, tracer, traceId = tracer?.traceId, method, url } = ctx;
  return `[${userId || '-'}/${ip || '-'}/${traceId || '-'}/${useTime(ctx)}ms ${method} ${masker.maskUrl(url)}]`;
}

/** @returns milliseconds since the request came, with three decimals if it has a `performanceStarttime` */
export function useTime({
  performanceStarttime,
  starttime,
}: Pick<LogContext, 'starttime' | 'performanceStarttime'>): number {
  if (performanceStarttime) return Math.floor((performance.now() - performanceStarttime) * 1000) / 1000;
  return starttime ? Date.now() - starttime : 0;
}
