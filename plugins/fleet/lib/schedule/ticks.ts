/** Runs that are kept of each schedule. */
const HISTORY = 20;

/** A run that some machine has. */
export interface TickRun {
  /** The time for which it runs, in milliseconds since the epoch. */
  due: number;
  member: string;
  /** Of the Agent that has begun it, or has adopted it. */
  incarnation: string;
  /** From 1; grows when the run begins again because its machine died. */
  attempt: number;
  /** When it began, in milliseconds since the epoch. */
  at: number;
}

interface PastTick extends TickRun {
  /** Milliseconds. */
  rt: number;
  success: boolean;
  message: string;
}

/** What the fleet knows of one schedule: one entry of a bucket, changed by compare-and-set. */
export interface Ticks {
  /** The last tick that a machine has claimed. */
  due: number;
  /** Ticks that nobody has claimed: the whole fleet was away, or its server. */
  missed: number;
  runs: TickRun[];
  /** The last run first. */
  history: PastTick[];
}

export interface Owner {
  member: string;
  incarnation: string;
}

type Claim = { is: 'taken' } | { is: 'skipped'; ticks: Ticks; running: TickRun } | { is: 'claimed'; ticks: Ticks };

/**
 * @param missed ticks between the last one that was claimed and this one
 * @returns `taken` if another machine was first, `skipped` if the last run has not ended and must not overlap
 */
export function claim(
  before: Ticks | undefined,
  { due, owner, missed, now, overlap }: { due: number; owner: Owner; missed: number; now: number; overlap: boolean },
): Claim {
  const {
    runs,
    history,
    missed: missedBefore,
    due: last,
  }: Ticks = before ?? { due: 0, missed: 0, runs: [], history: [] };
  if (last >= due) return { is: 'taken' };
  const ticks: Ticks = { due, missed: missedBefore + missed, runs, history };
  const [running] = runs;
  if (running && !overlap) return { is: 'skipped', ticks, running };
  return { is: 'claimed', ticks: { ...ticks, runs: [...runs, { due, ...owner, attempt: 1, at: now }] } };
}

/** @returns the ticks with the run given to another owner, undefined if it has another one already or has ended */
export function reassign(ticks: Ticks, run: TickRun, owner: Owner, attempt: number, now: number): Ticks | undefined {
  if (!ticks.runs.some((each) => isSame(each, run))) return undefined;
  const next: TickRun = { ...run, ...owner, attempt, at: now };
  return { ...ticks, runs: ticks.runs.map((each) => (isSame(each, run) ? next : each)) };
}

/** @returns the ticks without the run, undefined if it belongs to another machine by now */
export function finish(
  ticks: Ticks,
  run: TickRun,
  result: { rt: number; success: boolean; message: string },
): Ticks | undefined {
  const { rt, success, message } = result;
  const current = ticks.runs.find((each) => isSame(each, run));
  if (!current) return undefined;
  return {
    ...ticks,
    runs: ticks.runs.filter((each) => each !== current),
    history: [{ ...current, rt, success, message: message.slice(0, 500) }, ...ticks.history].slice(0, HISTORY),
  };
}

function isSame(a: TickRun, b: TickRun): boolean {
  return a.due === b.due && a.attempt === b.attempt && a.member === b.member && a.incarnation === b.incarnation;
}

/**
 * @param since when the Agent with this name started, undefined if there is no such machine
 * @returns whether the machine of a run is gone; a new Agent gets `grace` to adopt what the one before it has begun
 */
export function isLost(
  run: TickRun,
  member: { incarnation: string; since: number } | undefined,
  { now, grace }: { now: number; grace: number },
): boolean {
  if (!member) return true;
  return member.incarnation !== run.incarnation && now - member.since > grace;
}
