import type { WorkerLoad } from '../protocol/protocol.js';

/** Milliseconds of event-loop delay: smaller differences say nothing. */
const DELAY_STEP = 10;

/** A worker as far as the choice needs it. */
export interface Candidate {
  /** What it has reported last. */
  load: WorkerLoad;
  /** Connections that it has taken since. */
  takenSince: number;
  /** Connections that were sent to it and not replied to. */
  readonly sent: { readonly size: number };
}

/** Chooses a worker among those that are free; the one that has been free for longest comes first. */
export type ChooseWorker = <W extends Candidate>(
  free: Iterable<W>,
  refusedBy: ReadonlySet<W> | undefined,
) => W | undefined;

/** Each worker in turn. */
export const nextFree: ChooseWorker = (free, refusedBy) => {
  for (const worker of free) if (!refusedBy?.has(worker)) return worker;
  return undefined;
};

/** The worker with the fewest requests in flight and, among those, the least event-loop delay; in turn where both are equal. */
export const leastBusy: ChooseWorker = <W extends Candidate>(
  free: Iterable<W>,
  refusedBy: ReadonlySet<W> | undefined,
): W | undefined => {
  let best: W | undefined;
  for (const worker of free) {
    if (!refusedBy?.has(worker) && (!best || isLessBusy(worker, best))) best = worker;
  }
  return best;
};

function isLessBusy(worker: Candidate, other: Candidate): boolean {
  const [requests, others] = [requestsOf(worker), requestsOf(other)];
  return requests === others ? delayOf(worker) < delayOf(other) : requests < others;
}

/** A connection that was taken since the last report counts as a request. */
function requestsOf({ load, sent, takenSince }: Candidate): number {
  return load.inFlight + sent.size + takenSince;
}

function delayOf({ load }: Candidate): number {
  return Math.floor(load.loopDelay / DELAY_STEP);
}
