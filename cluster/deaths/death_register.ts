import { stripVTControlCharacters } from 'node:util';
import { DEATH_REASONS, type DeathReason, type DeathRecord } from '../../ipc/death_record.js';
import { CONTROL } from '../../ipc/message.js';
import { maskText } from '../../output/secrets.js';
import { NOT_SPAWNED } from '../spawn/child_handle.js';
import { killedFromOutside } from '../supervise/backoff.js';
import type { Ending, Exit, ManagedChild } from '../supervise/managed_child.js';
import type { Supervisor } from '../supervise/supervisor.js';
import { DeathFile } from './death_file.js';
import { OomKills } from './oom_kills.js';
import { addRecord, OwnRecord } from './own_record.js';

/** Characters of a line, and of a stack or another longer text, that are kept. */
const LONGEST_LINE = 500;
const LONGEST_TEXT = 8000;
/** Records that wait for an Agent. */
const MOST_WAITING = 100;

interface DeathRegisterOptions {
  agents: Supervisor;
  workers: Supervisor;
  baseDir: string;
  warn: (message: string) => void;
}

/** Makes a record of each process that ends, keeps it on disk and reports it to the Agent. */
export class DeathRegister {
  readonly #file: DeathFile;
  readonly #own: OwnRecord;
  readonly #agents: Supervisor;
  readonly #warn: (message: string) => void;
  readonly #oomKills = new OomKills();
  /** For the next Agent. */
  #waiting: DeathRecord[] = [];
  readonly #counts = new Map<DeathReason, number>();

  constructor({ agents, workers, baseDir, warn }: DeathRegisterOptions) {
    this.#agents = agents;
    this.#warn = warn;
    this.#file = new DeathFile(baseDir, warn);
    this.#own = new OwnRecord(this.#file, 'master');
    for (const supervisor of [agents, workers]) {
      supervisor.on('exit', (child, exit) => this.#add(recordOf(child, exit, () => this.#oomKills.take())));
    }
    agents.on('ready', (agent) => {
      for (const data of this.#waiting.splice(0)) agent.handle.send({ clutch: CONTROL.death, data });
    });
  }

  /** How many processes have ended, by reason. */
  get counts(): ReadonlyMap<DeathReason, number> {
    return this.#counts;
  }

  /** To be called at each heartbeat. */
  tick(): void {
    this.#oomKills.tick();
  }

  /** The Master is about to end. */
  endMaster(ending: Ending, code: number): void {
    this.#own.end(ending, code);
  }

  #add(record: DeathRecord): void {
    addRecord(this.#file, record);
    if (record.reason === 'oom-kill') this.#warn(`${record.kind} ${record.pid}: ${record.text}`);
    this.#counts.set(record.reason, (this.#counts.get(record.reason) ?? 0) + 1);
    const agent = this.#agents.current;
    if (agent) agent.handle.send({ clutch: CONTROL.death, data: record });
    else this.#waiting = [...this.#waiting, record].slice(-MOST_WAITING);
  }
}

function recordOf(child: ManagedChild, exit: Exit, takeOomKill: () => boolean): DeathRecord {
  const { kind, handle, slot, stats, ending, failure, lastBeat, stack, overdue } = child;
  const now = Date.now();
  const isOomKill = exit.signal === 'SIGKILL' && !handle.killed && takeOomKill();
  const reason = isOomKill ? 'oom-kill' : reasonOf(child, exit);
  const text = isOomKill ? 'the kernel killed it: the memory of the control group was used up' : exit.text;
  return {
    at: new Date(now).toISOString(),
    kind,
    pid: handle.id,
    ...(kind === 'app worker' ? { slot: slot.index } : {}),
    reason,
    by: DEATH_REASONS[reason],
    ...(ending?.asker === undefined || isOomKill ? {} : { asker: ending.asker }),
    text: firstLine(maskText(text)),
    state: exit.state,
    code: exit.code,
    signal: exit.signal,
    killed: handle.killed,
    uptime: seconds(now - child.bootedAt),
    ...(stats && {
      ...(kind === 'app worker' ? { inFlight: stats.inFlight, requests: stats.requests } : {}),
      memory: mebibytes(stats.rss),
      loopDelay: stats.loopP99,
    }),
    ...(lastBeat === undefined ? {} : { silent: now - lastBeat }),
    ...(failure && { error: { ...failure, stack: failure.stack?.slice(0, LONGEST_TEXT) ?? failure.message } }),
    ...(stack === undefined ? {} : { stack: stack.slice(0, LONGEST_TEXT) }),
    ...(overdue && { overdue: overdue.requests, resources: overdue.resources }),
    lines: child.lines.map((line) => maskText(stripVTControlCharacters(line).slice(0, LONGEST_LINE).trimEnd())),
  };
}

function reasonOf({ id, ending, failure, handle }: ManagedChild, { signal, state }: Exit): DeathReason {
  if (id === NOT_SPAWNED) return 'not-forked';
  if (ending) return ending.reason;
  if (failure && (state === 'starting' || state === 'candidate')) return 'boot-error';
  // With a second signal to the Master.
  if (handle.killed) return 'stop';
  if (signal === null) return 'exit';
  return killedFromOutside(signal) ? 'signal' : 'abort';
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] as string).slice(0, LONGEST_LINE);
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
