import { DEATH_REASONS, type DeathRecord } from '../../ipc/death_record.js';
import { channels, trace } from '../../tracing/channels.js';
import { residentMemory } from '../protocol/memory.js';
import type { Ending } from '../supervise/managed_child.js';
import type { DeathFile } from './death_file.js';

/** Characters of a sentence that are kept. */
const LONGEST_TEXT = 500;

/** The record of the process that keeps the records: the Master, or the only process. */
export class OwnRecord {
  readonly #file: DeathFile;
  readonly #kind: 'master' | 'single';
  readonly #startedAt = Date.now();

  /** The process before this one is noticed if it could not write why it ended. */
  constructor(file: DeathFile, kind: 'master' | 'single') {
    this.#file = file;
    this.#kind = kind;
    this.#noticeFormer();
    file.running = { pid: process.pid, startedAt: new Date().toISOString(), kind };
  }

  /**
   * This process is about to end.
   *
   * @param details what is known besides
   */
  end({ reason, text, asker }: Ending, code: number, details: Partial<DeathRecord> = {}): void {
    addRecord(this.#file, {
      at: new Date().toISOString(),
      kind: this.#kind,
      pid: process.pid,
      reason,
      by: DEATH_REASONS[reason],
      ...(asker === undefined ? {} : { asker }),
      text: (text.split('\n', 1)[0] as string).slice(0, LONGEST_TEXT),
      state: 'closed',
      code,
      signal: null,
      killed: false,
      uptime: Math.round((Date.now() - this.#startedAt) / 100) / 10,
      memory: Math.round((residentMemory() / 1024 / 1024) * 10) / 10,
      lines: [],
      ...details,
    });
    this.#file.running = undefined;
  }

  #noticeFormer(): void {
    const { former } = this.#file;
    if (!former || (former.pid !== process.pid && isAlive(former.pid))) return;
    const { kind = 'master', pid, startedAt } = former;
    const name = kind === 'master' ? 'the Master' : 'the process';
    addRecord(this.#file, {
      at: new Date().toISOString(),
      kind,
      pid,
      reason: 'signal',
      by: 'signal',
      text: `${name} that started at ${startedAt} has left no record: it was killed, or the machine stopped`,
      state: 'ready',
      code: null,
      signal: null,
      killed: false,
      uptime: 0,
      lines: [],
    });
  }
}

/** Adds a record to the file and publishes it. */
export function addRecord(file: DeathFile, record: DeathRecord): void {
  file.add(record);
  if (channels.death.hasSubscribers) trace('death', { record }, () => undefined);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
