import { toError } from '../../errors.js';
import { type MemoryRoom, memoryRoom } from '../options/memory_room.js';
import type { WorkerRange } from '../options/option_kinds.js';
import type { Ending } from './managed_child.js';
import type { Supervisor } from './supervisor.js';

/** Mean utilisation of the event loops above which there should be one worker more. */
const BUSY = 0.75;
/** Mean utilisation that one worker less would lead to, below which there should be one less. */
const IDLE = 0.5;
/** Share of the memory that a new worker must leave free, and below which a worker is given up. */
const SPARE = 0.1;
const SCARCE = 0.05;

export interface SizeSample {
  workers: number;
  /** Mean utilisation of their event loops, from 0 to 1. */
  utilisation: number;
  /** Bytes that one worker takes. */
  rss: number;
  memory: MemoryRoom;
}

export interface SizeDecision {
  /** How many workers there should be; as many as there are if memory forbids another one. */
  workers: number;
  reason: string;
}

type Need = 'more' | 'fewer' | 'less memory' | 'none';

/** Decides how many workers there should be. What has been so for long enough counts; after a decision the time begins anew. */
export class Sizing {
  readonly #range: WorkerRange;
  #need: Need = 'none';
  #since = 0;

  constructor(range: WorkerRange) {
    this.#range = range;
  }

  /** @param now milliseconds on any clock */
  decide(sample: SizeSample, now: number): SizeDecision | undefined {
    const need = this.#needOf(sample);
    if (need !== this.#need) {
      this.#need = need;
      this.#since = now;
    }
    const { growAfter, shrinkAfter } = this.#range;
    if (need === 'none' || now - this.#since < (need === 'fewer' ? shrinkAfter : growAfter)) return undefined;
    this.#need = 'none';
    return decision(need, sample, Math.round((now - this.#since) / 1000));
  }

  #needOf({ workers, utilisation, memory: { used, limit } }: SizeSample): Need {
    const { min, max } = this.#range;
    if (workers > min && used > limit * (1 - SCARCE)) return 'less memory';
    if (workers < max && utilisation > BUSY) return 'more';
    return workers > min && (utilisation * workers) / (workers - 1) < IDLE ? 'fewer' : 'none';
  }
}

function decision(need: Exclude<Need, 'none'>, sample: SizeSample, seconds: number): SizeDecision {
  const { workers, utilisation, rss, memory } = sample;
  const percent = `event loops are used to ${Math.round(utilisation * 100)} %`;
  const room = `${mebibytes(memory.used)} of ${mebibytes(memory.limit)} MiB are used`;
  if (need === 'less memory') return { workers: workers - 1, reason: `memory is scarce: ${room}` };
  if (need === 'fewer') return { workers: workers - 1, reason: `for ${seconds} s ${percent}` };
  if (memory.used + rss > memory.limit * (1 - SPARE)) {
    return { workers, reason: `${percent}, but there is no memory for one more: ${room}` };
  }
  return { workers: workers + 1, reason: `for ${seconds} s ${percent}` };
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

interface AutoSizeOptions {
  range: WorkerRange;
  workers: Supervisor;
  scale: (count: number, ending: Ending) => Promise<void>;
  log: Pick<Console, 'info' | 'warn'>;
}

/** Keeps as many workers as are needed. */
export class AutoSize {
  readonly #options: AutoSizeOptions;
  readonly #sizing: Sizing;
  #state: 'watching' | 'scaling' | 'stopped' = 'watching';

  constructor(options: AutoSizeOptions) {
    this.#options = options;
    this.#sizing = new Sizing(options.range);
  }

  /** To be called at each heartbeat. */
  tick(): void {
    const { workers, log } = this.#options;
    const measured = workers.ready.flatMap(({ stats }) => stats ?? []);
    // While a worker is replaced or waits for it, the others are busier than they will be.
    if (this.#state !== 'watching' || measured.length === 0 || workers.all.length !== workers.slots.length) return;
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const sample = {
      workers: workers.slots.length,
      utilisation: mean(measured.map(({ utilisation }) => utilisation)),
      rss: mean(measured.map(({ rss }) => rss)),
      memory: memoryRoom(),
    };
    const decided = this.#sizing.decide(sample, performance.now());
    if (!decided) return;
    if (decided.workers === sample.workers) log.warn(`the number of app workers stays: ${decided.reason}`);
    else void this.#scale(decided);
  }

  async #scale({ workers, reason }: SizeDecision): Promise<void> {
    const { scale, log } = this.#options;
    this.#state = 'scaling';
    log.info(`${workers} app workers are needed: ${reason}`);
    try {
      await scale(workers, { reason: 'size', text: `${workers} app workers are needed: ${reason}` });
    } catch (error) {
      log.warn(`the number of app workers stays, a new one did not start: ${toError(error).message}`);
    }
    if (this.#state === 'scaling') this.#state = 'watching';
  }

  /** Somebody has given a number. */
  stop(): void {
    if (this.#state !== 'stopped')
      this.#options.log.info('the number of app workers is given; it no longer follows the need');
    this.#state = 'stopped';
  }
}
