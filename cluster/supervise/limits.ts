import type { ProcessStats } from '../protocol/protocol.js';
import type { Ending } from './managed_child.js';

export interface Limits {
  /** MiB; 0 turns it off, like each of them. */
  maxMemory: number;
  /** MiB above which a worker is killed. */
  maxMemoryHard: number;
  /** Milliseconds. */
  maxLoopDelay: number;
  maxRequests: number;
  /** Milliseconds. */
  maxAge: number;
}

/** What the limits are compared with, besides the last heartbeat. */
interface Measured {
  /** Milliseconds since the fork. */
  age: number;
  /** For how many milliseconds the event-loop delay has been over the limit. */
  slowFor: number;
  /** Between 0 and 1, of this worker. */
  jitter: number;
}

/** Milliseconds for which the event-loop delay must be over the limit. */
const SUSTAINED = 10_000;
/** Workers that started together leave at different times: at so much over the limit at most, as a share of it. */
const JITTER = 0.2;

/** @returns why a worker must be killed at once, if it must */
export function overHardLimit({ maxMemoryHard }: Limits, { rss }: ProcessStats): Ending | undefined {
  const used = mebibytes(rss);
  if (maxMemoryHard === 0 || used <= maxMemoryHard) return undefined;
  return { reason: 'max-memory-hard', text: `it uses ${used} MiB, more than maxMemoryHard (${maxMemoryHard})` };
}

/** @returns why a worker should be replaced, if it should */
export function overLimit(limits: Limits, { rss, requests, loopP99 }: ProcessStats, at: Measured): Ending | undefined {
  const { maxMemory, maxLoopDelay, maxRequests, maxAge } = limits;
  const used = mebibytes(rss);
  if (maxMemory > 0 && used > maxMemory) {
    return { reason: 'max-memory', text: `it uses ${used} MiB, more than maxMemory (${maxMemory})` };
  }
  if (maxLoopDelay > 0 && at.slowFor >= SUSTAINED) {
    const text = `its event-loop delay is ${loopP99} ms, and was more than maxLoopDelay (${maxLoopDelay}) for ${at.slowFor / 1000} s`;
    return { reason: 'max-loop-delay', text };
  }
  const factor = 1 + JITTER * at.jitter;
  if (maxRequests > 0 && requests >= Math.round(maxRequests * factor)) {
    return {
      reason: 'max-requests',
      text: `it has served ${requests} requests, more than maxRequests (${maxRequests})`,
    };
  }
  if (maxAge > 0 && at.age >= maxAge * factor) {
    return { reason: 'max-age', text: `it is ${Math.round(at.age / 1000)} s old, more than maxAge (${maxAge} ms)` };
  }
  return undefined;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
