import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClutchError, toError } from '../../errors.js';
import type { AskFleet, FleetReport, MachineState } from './ask.js';
import { notConnected } from './status.js';

/** Milliseconds between two looks at a machine that reloads. */
const LOOK_INTERVAL = 250;
/** Milliseconds in which a machine whose Agent is being replaced may send no reply. */
const SILENCE_LIMIT = 20_000;
/** Milliseconds until a reload must have begun. */
const BEGIN_LIMIT = 30_000;

export interface ReloadSettings {
  /** By how many percent points the share of responses with status 5xx may grow. */
  maxErrors: number;
  /** Milliseconds in which errors are counted, before the first machine and after each one. */
  wait: number;
  /** Gets a sentence for each step. */
  progress(text: string): void;
}

export interface ReloadOutcome {
  reloaded: string[];
  /** Why it was not continued; absent when all machines are reloaded. */
  stopped?: { member: string; reason: string };
  /** Machines that run what they ran before. */
  untouched: string[];
}

/**
 * Reloads the machines of a fleet one after the other. It goes on to the next one only when a machine is ready and its share of
 * errors holds; the machine on which the command runs comes last.
 *
 * @throws {ClutchError} ERR_CLUTCH_FLEET when nothing was begun: a machine is not ready or sends no reply, or another reload runs
 */
export async function reloadFleet(ask: AskFleet, settings: ReloadSettings): Promise<ReloadOutcome> {
  const report = await ask<FleetReport>({ command: 'status' });
  const { member, members, lease, connected } = report;
  if (!connected) throw notConnected(report);
  const nonce = randomUUID();
  await ask({ command: 'hold', nonce });
  let lost: Error | undefined;
  const renewal = setInterval(() => {
    ask({ command: 'hold', nonce }).catch((error: Error) => {
      // While the Agent here is being replaced there may be nobody to ask.
      if (/another reload/.test(error.message)) lost = error;
    });
  }, lease / 4);
  try {
    const ids = members.map(({ id }) => id);
    const order = [...ids.filter((id) => id !== member), ...ids.filter((id) => id === member)];
    return await reloadEach(order, { ask, settings, nonce, lost: () => lost });
  } finally {
    clearInterval(renewal);
    await ask({ command: 'release', nonce }).catch(() => undefined);
  }
}

interface Reload {
  ask: AskFleet;
  settings: ReloadSettings;
  nonce: string;
  lost(): Error | undefined;
}

async function reloadEach(order: string[], reload: Reload): Promise<ReloadOutcome> {
  const { settings, ask } = reload;
  const begin = new Map<string, MachineState>();
  for (const member of order) begin.set(member, await readyMachine(ask, member));
  settings.progress(`${order.join(', ')}: all are ready; errors are counted for ${settings.wait / 1000} s`);
  await sleep(settings.wait);
  const reloaded: string[] = [];
  for (const [index, member] of order.entries()) {
    try {
      const before = await reloadOne(member, reload);
      settings.progress(`${member} is reloaded; errors are counted for ${settings.wait / 1000} s`);
      await holds(member, { before, begin: begin.get(member) as MachineState }, reload);
    } catch (error) {
      const reason = firstLine(error);
      return { reloaded, stopped: { member, reason }, untouched: order.slice(index + 1) };
    }
    reloaded.push(member);
  }
  return { reloaded, untouched: [] };
}

async function readyMachine(ask: AskFleet, member: string): Promise<MachineState> {
  let machine: MachineState;
  try {
    machine = await ask<MachineState>({ command: 'machine', member });
  } catch (error) {
    throw refusal(`machine ${member} sends no reply, nothing is reloaded: ${firstLine(error)}`);
  }
  const { state, ready, wanted, lastReload } = machine;
  if (state !== 'ready' || ready < wanted) {
    throw refusal(`machine ${member} is ${state} with ${ready} of ${wanted} app workers, nothing is reloaded`);
  }
  if (lastReload?.outcome === 'running') {
    throw refusal(`machine ${member} is being reloaded by ${lastReload.asker ?? 'someone'}, nothing is reloaded`);
  }
  return machine;
}

/** @returns how the machine did just before */
async function reloadOne(member: string, { ask, nonce, lost }: Reload): Promise<MachineState> {
  const before = await ask<MachineState>({ command: 'machine', member });
  const other = lost();
  if (other) throw other;
  await ask({ command: 'reload-machine', member, nonce }).catch(unlessItMayHaveBegun);
  const askedAt = performance.now();
  let heardAt = askedAt;
  for (;;) {
    await sleep(LOOK_INTERVAL);
    let machine: MachineState;
    try {
      machine = await ask<MachineState>({ command: 'machine', member });
      heardAt = performance.now();
    } catch (error) {
      if (performance.now() - heardAt < SILENCE_LIMIT) continue;
      throw new Error(`it sends no reply during its reload: ${firstLine(error)}`);
    }
    const { lastReload } = machine;
    const hasBegun = lastReload !== undefined && lastReload.at !== before.lastReload?.at;
    if (!hasBegun && performance.now() - askedAt > BEGIN_LIMIT) throw new Error('its reload has not begun');
    if (!hasBegun || lastReload.outcome === 'running') continue;
    if (lastReload.outcome === 'failed') {
      throw new Error(`its reload failed: ${firstLineOf(lastReload.reason)} (${whatIsNew(before, machine)})`);
    }
    return before;
  }
}

/** The Agent that was asked is replaced by the reload; its reply may be lost. */
function unlessItMayHaveBegun(error: Error): void {
  if (!error.message.includes('ERR_CLUTCH_TIMEOUT')) throw error;
}

/** @throws when the machine is not ready at the end of the time, or its share of errors has grown */
async function holds(
  member: string,
  { begin, before }: { begin: MachineState; before: MachineState },
  { ask, settings }: Reload,
): Promise<void> {
  const start = await ask<MachineState>({ command: 'machine', member });
  await sleep(settings.wait);
  const end = await ask<MachineState>({ command: 'machine', member });
  if (end.state !== 'ready' || end.ready < end.wanted) {
    throw new Error(`it is ${end.state} with ${end.ready} of ${end.wanted} app workers after its reload`);
  }
  const [earlier, later] = [share(begin, before), share(start, end)];
  if (later.percent <= earlier.percent + settings.maxErrors) return;
  throw new Error(
    `${later.text} have status 5xx after its reload, ${earlier.text} before (--max-errors ${settings.maxErrors})`,
  );
}

function share(from: MachineState, to: MachineState): { percent: number; text: string } {
  const requests = to.served.requests - from.served.requests;
  const errors = to.served.errors - from.served.errors;
  const percent = requests > 0 ? (100 * errors) / requests : 0;
  return { percent, text: `${percent.toFixed(1)} % of ${requests} responses` };
}

/** What a reload has replaced before it failed stays: the Agent comes first. */
function whatIsNew({ pids: old }: MachineState, { pids: now }: MachineState): string {
  const agent = now.agent.some((pid) => !old.agent.includes(pid));
  const workers = now.workers.filter((pid) => !old.workers.includes(pid)).length;
  if (!agent && workers === 0) return 'none of its processes was replaced';
  const parts = [...(agent ? ['the Agent'] : []), `${workers} of ${now.workers.length} app workers`];
  return `replaced before and left so: ${parts.join(', ')}`;
}

function refusal(what: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_FLEET', what);
}

function firstLine(error: unknown): string {
  return firstLineOf(toError(error).message);
}

function firstLineOf(text = ''): string {
  return text.split('\n')[0] as string;
}

/** The outcome for people. */
export function formatReload({ reloaded, stopped, untouched }: ReloadOutcome): string {
  const done = reloaded.length > 0 ? `reloaded: ${reloaded.join(', ')}` : 'reloaded: none';
  if (!stopped) return done;
  const rest = untouched.length > 0 ? `untouched: ${untouched.join(', ')}` : 'untouched: none';
  return `stopped at machine ${stopped.member}: ${stopped.reason}\n${done}\n${rest}`;
}
