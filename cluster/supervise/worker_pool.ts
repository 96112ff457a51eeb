import { EventEmitter } from 'node:events';
import type { ErrorData } from '../../ipc/error_data.js';
import { CONTROL, type Message } from '../../ipc/message.js';
import type { BootData, ListenAddress, PrepareData, ProcessStats } from '../protocol/protocol.js';
import type { Child } from '../spawn/child_handle.js';
import type { WorkerSource } from '../spawn/worker_source.js';
import { killedFromOutside } from './backoff.js';
import { ManagedChild } from './managed_child.js';
import { Slot } from './slot.js';

export interface ChildSettings {
  prepare: PrepareData;
  boot: BootData;
  /** Resolves when `boot` is complete. */
  complete: Promise<void>;
  execArgv: string[];
}

interface Events {
  forked: [info: ManagedChild];
  message: [message: Message, info: ManagedChild];
  ready: [info: ManagedChild, address: ListenAddress];
  /** It died unasked; `delay` is the time until it is replaced, in milliseconds. */
  died: [info: ManagedChild, reason: string, delay: number];
  exit: [info: ManagedChild, reason: string];
}

/** Keeps as many app workers as are wanted: one in each slot. */
export class WorkerPool extends EventEmitter<Events> {
  readonly #settings: ChildSettings;
  readonly #source: WorkerSource;
  readonly #workers = new Map<Child, ManagedChild>();
  readonly #slots: Slot[] = [];
  readonly #timers = new Map<Slot, NodeJS.Timeout>();
  /** App code may run from the first `agent-start` on. */
  #released = false;
  #closing = false;

  constructor(settings: ChildSettings, source: WorkerSource, count: number) {
    super();
    this.#settings = settings;
    this.#source = source;
    this.#slots = Array.from({ length: count }, (_, index) => new Slot(index));
  }

  get all(): ManagedChild[] {
    return [...this.#workers.values()];
  }

  find(id: number): ManagedChild | undefined {
    for (const info of this.#workers.values()) if (info.id === id) return info;
    return undefined;
  }

  get ready(): ManagedChild[] {
    return this.all.filter(({ state }) => state === 'ready');
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  /** Forks all workers; they import the framework and wait until `release`. */
  start(): void {
    this.#source.start(this.#slots.length, {
      onFork: (child) => this.#adopt(child, this.#freeSlot(), 'starting'),
      onLost: (child) => {
        const info = this.#workers.get(child);
        if (info?.state === 'ready') info.state = 'disconnected';
      },
    });
  }

  #freeSlot(): Slot {
    const taken = new Set(this.all.filter(({ fillsSlot }) => fillsSlot).map(({ slot }) => slot));
    return this.#slots.find((slot) => !taken.has(slot)) ?? (this.#slots[0] as Slot);
  }

  /** Lets the workers load the app. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const info of this.all) this.#boot(info);
  }

  #adopt(child: Child, slot: Slot, state: 'starting' | 'candidate'): ManagedChild {
    const info = new ManagedChild(child, slot, state);
    this.#workers.set(child, info);
    child.on('message', (message) => this.#onMessage(info, message));
    child.on('error', (error) => {
      info.failure ??= error;
    });
    child.once('exit', (code, signal) => this.#onExit(info, code, signal));
    child.send({ action: CONTROL.prepare, data: this.#settings.prepare });
    if (this.#released) this.#boot(info);
    this.emit('forked', info);
    return info;
  }

  #boot(info: ManagedChild): void {
    info.lastBeat = Date.now();
    const { boot } = this.#settings;
    const port = boot.options.ports[info.slot.index] ?? boot.options.port;
    info.child.send({ action: CONTROL.boot, data: { ...boot, options: { ...boot.options, port } } });
  }

  #onMessage(info: ManagedChild, message: Message): void {
    switch (message.action) {
      case CONTROL.stats:
        info.beat(message.data as ProcessStats);
        break;
      case CONTROL.bootError:
        info.failure = message.data as ErrorData;
        break;
      case CONTROL.leaving:
        this.#replaceLeaving(info, message.data as ErrorData | undefined);
        break;
      case 'app-start':
        this.#onReady(info, message.data as ListenAddress);
        break;
      default:
        this.emit('message', message, info);
    }
  }

  #onReady(info: ManagedChild, address: ListenAddress): void {
    // The same action from code of the app means nothing.
    if (info.state !== 'starting' && info.state !== 'candidate') return;
    info.state = 'ready';
    this.#source.onReady(info.child);
    this.#source.setReplaced(info.child, !this.#closing && !info.slot.backoff.active);
    this.emit('ready', info, address);
  }

  /** A worker that threw, or was told to end by someone else, drains by itself; its replacement starts now. */
  #replaceLeaving(info: ManagedChild, error: ErrorData | undefined): void {
    if (info.state !== 'ready') return;
    info.failure = error;
    info.state = 'draining';
    this.#source.setReplaced(info.child, false);
    const overdue = setTimeout(() => info.child.kill(), this.#settings.boot.closeTimeout + 1000);
    info.child.once('exit', () => clearTimeout(overdue));
    const reason = error ? `uncaughtException: ${error.message}` : 'it was told to end from outside';
    this.#replace(info, reason, { early: error !== undefined });
  }

  #onExit(info: ManagedChild, code: number | null, signal: string | null): void {
    const { child, state } = info;
    const replaced = this.#source.isReplaced(child);
    this.#workers.delete(child);
    this.#source.onExit(
      child,
      this.ready.map((heir) => heir.child),
    );
    const reason = info.exitReason(code, signal);
    this.emit('exit', info, reason);
    // A draining worker was asked to leave, or is replaced already.
    if (state === 'draining' || state === 'candidate') return;
    const early = !(state !== 'starting' && killedFromOutside(signal) && !info.killReason);
    this.#replace(info, reason, { early, forked: replaced });
  }

  /**
   * @param early whether the death may count as one of a crash loop
   * @param forked whether the source replaces the worker itself
   */
  #replace(info: ManagedChild, reason: string, { early, forked = false }: { early: boolean; forked?: boolean }): void {
    const { slot, child } = info;
    slot.lastExit = reason;
    slot.restarts += 1;
    if (this.#closing) return;
    const delay = early ? slot.backoff.delayAfter(Date.now() - child.spawnedAt) : 0;
    this.emit('died', info, reason, delay);
    if (!forked) this.#fillAfter(slot, delay);
  }

  /** Forks a worker into a slot, unless something else has filled it by then. */
  #fillAfter(slot: Slot, delay: number): void {
    if (this.#closing || this.#timers.has(slot)) return;
    const fill = (): void => {
      this.#timers.delete(slot);
      if (this.#closing || !this.#slots.includes(slot) || this.occupants(slot).length > 0) return;
      this.#adopt(this.#source.fork(slot.index), slot, 'starting');
    };
    if (delay === 0) fill();
    else this.#timers.set(slot, setTimeout(fill, delay));
  }

  /** The workers that fill a slot: one, or two while one takes over from the other. */
  occupants(slot: Slot): ManagedChild[] {
    return this.all.filter((info) => info.slot === slot && info.fillsSlot);
  }

  /** Forks into slots that nobody fills and nobody waits for; there is none unless something went wrong. */
  fillGaps(): void {
    for (const slot of this.#slots) if (this.occupants(slot).length === 0) this.#fillAfter(slot, 0);
  }

  /**
   * Has a new worker take over a slot: when it is ready, those that filled the slot are retired.
   *
   * @throws its error when it does not boot; the others stay then
   */
  async replace(slot: Slot): Promise<void> {
    clearTimeout(this.#timers.get(slot));
    this.#timers.delete(slot);
    const before = this.occupants(slot);
    if (this.#source.exclusive) await Promise.all(before.map((old) => this.retire(old)));
    const info = this.#adopt(this.#source.fork(slot.index), slot, 'candidate');
    try {
      await this.#ready(info);
    } catch (error) {
      this.fillGaps();
      throw error;
    }
    for (const old of before) void this.retire(old);
  }

  #ready(info: ManagedChild): Promise<void> {
    return new Promise((resolve, reject) => {
      const onReady = (ready: ManagedChild): void => {
        if (ready === info) settle(resolve);
      };
      const onExit = (exited: ManagedChild, reason: string): void => {
        if (exited === info) settle(() => reject(new Error(reason)));
      };
      const settle = (finish: () => void): void => {
        this.off('ready', onReady);
        this.off('exit', onExit);
        finish();
      };
      this.on('ready', onReady);
      this.on('exit', onExit);
    });
  }

  /** Asks a worker to drain and end; resolves when it has. */
  async retire(info: ManagedChild): Promise<void> {
    if (!this.#workers.has(info.child) || info.state === 'draining') return;
    info.state = 'draining';
    this.#source.setReplaced(info.child, false);
    await info.child.terminate(this.#settings.boot.closeTimeout);
  }

  addSlot(): Slot {
    const slot = new Slot(this.#slots.length);
    this.#slots.push(slot);
    return slot;
  }

  /** Gives up the last slot; its worker drains. */
  removeSlot(): void {
    const slot = this.#slots.pop();
    if (!slot) return;
    clearTimeout(this.#timers.get(slot));
    this.#timers.delete(slot);
    for (const info of this.occupants(slot)) void this.retire(info);
  }

  /** From now on a worker that dies stays dead. */
  stopReplacing(): void {
    this.#closing = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const { child } of this.all) this.#source.setReplaced(child, false);
    this.#source.close();
  }

  /** Ends every worker. */
  async close(): Promise<void> {
    this.stopReplacing();
    const { closeTimeout } = this.#settings.boot;
    await Promise.all(
      this.all.map((info) => {
        info.state = 'draining';
        return info.child.terminate(closeTimeout);
      }),
    );
  }
}
