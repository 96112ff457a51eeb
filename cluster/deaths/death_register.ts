import { stripVTControlCharacters } from 'node:util';
import { DEATH_REASONS, type DeathReason, type DeathRecord } from '../../ipc/death_record.js';
import { CONTROL } from '../../ipc/message.js';
import { maskText } from '../../output/secrets.js';
import { channels, trace } from '../../tracing/channels.js';
import { residentMemory } from '../protocol/memory.js';
import { NOT_SPAWNED } from '../spawn/child_handle.js';
import { killedFromOutside } from '../supervise/backoff.js';
import type { Ending, Exit, ManagedChild } from '../supervise/managed_child.js';
import type { Supervisor } from '../supervise/supervisor.js';
import { DeathFile } from './death_file.js';
import { OomKills } from './oom_kills.js';

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
  readonly #agents: Supervisor;
  readonly #warn: (message: string) => void;
  readonly #oomKills = new OomKills();
  readonly #startedAt = Date.now();
  /** For the next Agent. */
  #waiting: DeathRecord[] = [];
  readonly #counts = new Map<DeathReason, number>();

  constructor({ agents, workers, baseDir, warn }: DeathRegisterOptions) {
    this.#agents = agents;
    this.#warn = warn;
    this.#file = new DeathFile(baseDir, warn);
    this.#noticeFormerMaster();
    this.#file.running = { pid: process.pid, startedAt: new Date().toISOString() };
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
  endMaster({ reason, text, asker }: Ending, code: number): void {
    this.#record({
      at: new Date().toISOString(),
      kind: 'master',
      pid: process.pid,
      reason,
      by: DEATH_REASONS[reason],
      ...(asker === undefined ? {} : { asker }),
      text: firstLine(text),
      state: 'closed',
      code,
      signal: null,
      killed: false,
      uptime: seconds(Date.now() - this.#startedAt),
      memory: mebibytes(residentMemory()),
      lines: [],
    });
    this.#file.running = undefined;
  }

  #record(record: DeathRecord): void {
    this.#file.add(record);
    if (channels.death.hasSubscribers) trace('death', { record }, () => undefined);
  }

  #add(record: DeathRecord): void {
    this.#record(record);
    if (record.reason === 'oom-kill') this.#warn(`${record.kind} ${record.pid}: ${record.text}`);
    this.#counts.set(record.reason, (this.#counts.get(record.reason) ?? 0) + 1);
    const agent = this.#agents.current;
    if (agent) agent.handle.send({ clutch: CONTROL.death, data: record });
    else this.#waiting = [...this.#waiting, record].slice(-MOST_WAITING);
  }

  /** A Master that was killed could not write why. */
  #noticeFormerMaster(): void {
    const { former } = this.#file;
    if (!former || (former.pid !== process.pid && isAlive(former.pid))) return;
    this.#file.add({
      at: new Date().toISOString(),
      kind: 'master',
      pid: former.pid,
      reason: 'signal',
      by: 'signal',
      text: `the Master that started at ${former.startedAt} has left no record: it was killed, or the machine stopped`,
      state: 'ready',
      code: null,
      signal: null,
      killed: false,
      uptime: 0,
      lines: [],
    });
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
    uptime: seconds(now - handle.spawnedAt),
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
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
