import { type Channel, channel } from 'node:diagnostics_channel';
import type { TracedContext } from './payloads.js';

/** A line that a logger is about to write. */
export interface LogTrace {
  readonly level: string;
  /** Secrets are masked. */
  readonly message: string;
  /** The file of the logger. */
  readonly file: string;
  /** The request that the line belongs to. */
  readonly ctx: TracedContext | undefined;
  /** A subscriber sets these two; the line has them then. */
  traceId?: string;
  spanId?: string;
}

/** Publishes each line once, however many places it is written to: `clutch:log`. */
export const logChannel: Channel<LogTrace> = channel('clutch:log') as Channel<LogTrace>;
