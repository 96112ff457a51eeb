import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ClutchError, toError } from '../../errors.js';
import { CONTROL, type Envelope, isControl } from '../../ipc/message.js';
import { makeDirectory } from '../../output/make_directory.js';
import { PROFILE_KINDS, type ProfileKind, type ProfileOrder, type ProfileOutcome } from '../protocol/profile_order.js';
import type { ManagedChild } from '../supervise/managed_child.js';
import type { Supervisor } from '../supervise/supervisor.js';

const DEFAULT_SECONDS = 10;
const MOST_SECONDS = 300;
/** Milliseconds beyond the time that is sampled, for the profile to be put together and written. */
const FINISH_LIMIT = 60_000;
/** Milliseconds for a heap snapshot: some seconds for each gigabyte. */
const HEAP_LIMIT = 300_000;

export interface ProfileRequest {
  /** A pid, or the id of a thread. */
  pid: number;
  kind: ProfileKind;
  /** For how long CPU and allocations are sampled, 0.1 to 300; default 10. */
  seconds?: number | undefined;
  /** Absolute path of the file; default one in `run/profiles/` of the app. */
  output?: string | undefined;
}

export interface TakenProfile {
  pid: number;
  /** What the process is. */
  process: string;
  kind: ProfileKind;
  file: string;
  bytes: number;
  /** When the sampling began, in milliseconds since the epoch. */
  startedAt: number;
  /** Milliseconds. */
  took: number;
}

type Children = Pick<Supervisor, 'find' | 'pause'>;

interface ProfilesParts {
  /** What this process is; default `Master`. */
  self?: string;
  agents: Children;
  workers: Children;
  baseDir: string;
  log: Pick<Console, 'info'>;
}

/** Has processes of the cluster profile themselves, one at a time. */
export class Profiles {
  readonly #parts: ProfilesParts;
  /** What is being done. */
  #running: string | undefined;

  constructor(parts: ProfilesParts) {
    this.#parts = parts;
  }

  /**
   * Takes a profile of a process: the Master, the Agent or an app worker. During a heap snapshot the process stands still; it
   * gets no new connections then, where the Master distributes them, and the watchdog waits.
   *
   * @throws {ClutchError} ERR_CLUTCH_PROFILE when another one is being taken, the process is not there or ends meanwhile, or the file
   * cannot be written
   */
  async take({ pid, kind, seconds = DEFAULT_SECONDS, output }: ProfileRequest): Promise<TakenProfile> {
    if (!Object.hasOwn(PROFILE_KINDS, kind)) throw profileError(`there is no profile of kind ${kind}`);
    if (!(seconds >= 0.1 && seconds <= MOST_SECONDS)) {
      throw profileError(`a profile cannot take ${seconds} seconds`, `Give 0.1 to ${MOST_SECONDS}.`);
    }
    const target = this.#find(pid);
    const name = target ? target.kind : (this.#parts.self ?? 'Master');
    const what = `${DESCRIPTIONS[kind]} of ${name} ${pid}`;
    return this.#exclusively(what, async () => {
      const begin = Date.now();
      const file = output ?? this.#fileFor(name, pid, kind);
      if (existsSync(file)) throw profileError(`${file} is there already`, 'Give another --output.');
      // Only a whole profile has the name that is told.
      const order = { kind, seconds, file: `${file}.part` };
      try {
        makeDirectory(path.dirname(file));
        const { bytes, error, startedAt = begin } = await (target ? this.#order(target, order) : carryOutHere(order));
        if (error !== undefined) throw profileError(`there is no ${what}: ${error}`);
        renameSync(order.file, file);
        this.#parts.log.info(`a ${what} is in ${file}`);
        return { pid, process: name, kind, file, bytes, startedAt, took: Date.now() - begin };
      } catch (error) {
        if (existsSync(order.file)) rmSync(order.file);
        throw error instanceof ClutchError ? error : profileError(`there is no ${what}: ${toError(error).message}`);
      }
    });
  }

  async #exclusively<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (this.#running) throw profileError(`a ${this.#running} is being taken`, 'Wait until it is there.');
    this.#running = what;
    try {
      return await run();
    } finally {
      this.#running = undefined;
    }
  }

  /** @returns undefined for the Master itself */
  #find(pid: number): ManagedChild | undefined {
    const { agents, workers } = this.#parts;
    const child = workers.find(pid) ?? agents.find(pid);
    if (!child && pid !== process.pid) {
      throw profileError(`no process of this app has pid ${pid}`, '`clutch status` shows those that there are.');
    }
    if (child?.state === 'starting' || child?.state === 'candidate') {
      throw profileError(`${child.kind} ${pid} is still starting`, 'Ask again when it is ready.');
    }
    return child;
  }

  #fileFor(name: string, pid: number, kind: ProfileKind): string {
    const time = new Date()
      .toISOString()
      .replace(/[-:.Z]/g, '')
      .replace('T', '-');
    const file = `${name.toLowerCase().replace(' ', '-')}-${pid}-${time}.${PROFILE_KINDS[kind]}`;
    return path.join(this.#parts.baseDir, 'run/profiles', file);
  }

  async #order(child: ManagedChild, order: ProfileOrder): Promise<ProfileOutcome> {
    const limit = order.kind === 'heap' ? HEAP_LIMIT : order.seconds * 1000 + FINISH_LIMIT;
    const supervisor = child.kind === 'agent' ? this.#parts.agents : this.#parts.workers;
    const resume = order.kind === 'heap' ? supervisor.pause(child, limit) : undefined;
    try {
      return await ask(child, order, limit);
    } finally {
      resume?.();
    }
  }
}

const DESCRIPTIONS: Record<ProfileKind, string> = {
  cpu: 'CPU profile',
  heap: 'heap snapshot',
  allocations: 'profile of allocations',
};

async function carryOutHere(order: ProfileOrder): Promise<ProfileOutcome> {
  const { carryOut } = await import('./take_profile.js');
  return carryOut(order);
}

/** @param limit milliseconds */
function ask(child: ManagedChild, order: ProfileOrder, limit: number): Promise<ProfileOutcome> {
  const { handle } = child;
  const { file } = order;
  const fail = (error: string): void => done({ file, bytes: 0, error });
  let done: (outcome: ProfileOutcome) => void;
  return new Promise((resolve) => {
    done = (outcome) => {
      clearTimeout(timer);
      handle.off('message', onMessage);
      handle.off('exit', onExit);
      resolve(outcome);
    };
    const onMessage = (message: Envelope): void => {
      if (!isControl(message) || message.clutch !== CONTROL.profiled) return;
      const outcome = message.data as ProfileOutcome;
      // Not one that was given up and comes late.
      if (outcome.file === file) done(outcome);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      fail(`it has ended: ${child.exitReason(code, signal).split('\n')[0]}`);
    const timer = setTimeout(() => fail(`it took longer than ${limit} ms`), limit);
    handle.on('message', onMessage);
    handle.once('exit', onExit);
    const failure = handle.send({ clutch: CONTROL.profile, data: order });
    if (failure) fail('it cannot be reached');
  });
}

function profileError(what: string, fix?: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_PROFILE', what, fix === undefined ? {} : { fix });
}
