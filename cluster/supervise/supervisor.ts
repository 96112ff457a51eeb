import { EventEmitter } from 'node:events';
import { debuglog } from 'node:util';
import type { ErrorData } from '../../ipc/error_data.js';
import { CONTROL, type Envelope, isControl } from '../../ipc/message.js';
import type { ListenAddress } from '../protocol/listen_address.js';
import type { BootData, PrepareData, ProcessStats, WorkerLoad } from '../protocol/protocol.js';
import type { Child } from '../spawn/child_handle.js';
import type { ChildSource } from '../spawn/child_source.js';
import { killedFromOutside } from './backoff.js';
import { channelLost, childLeaves, type LeavingListener } from './leaving.js';
import { type ChildKind, type ChildState, type Ending, type Exit, ManagedChild } from './managed_child.js';
import { Slot } from './slot.js';
import { StateMachine } from './state_machine.js';

const debug = debuglog('clutch:cluster');

/** Milliseconds until an app worker is started while none serves: requests wait for it. */
const SOON = 1000;
/** Milliseconds that a child gets after a pause. */
const CATCH_UP = 3000;

export interface SupervisorOptions {
  kind: ChildKind;
  source: ChildSource;
  /** How many slots there are at first. */
  count: number;
  prepare: Omit<PrepareData, 'token'>;
  /** @returns what the child in a slot needs to load the app */
  boot(slot: number): BootData;
  /** Milliseconds that a child gets to drain and close. */
  closeTimeout: number;
  /** Milliseconds that it gets in all while its connections make progress. */
  drainTimeout: number;
}

interface Events {
  forked: [child: ManagedChild];
  message: [envelope: Envelope, child: ManagedChild];
  ready: [child: ManagedChild, address: ListenAddress];
  /** A child has died, or is leaving unasked; `delay` is the time until it is replaced, in milliseconds. */
  died: [child: ManagedChild, reason: string, delay: number];
  exit: [child: ManagedChild, exit: Exit];
  /** A heartbeat has come; `child.stats` has what it says. */
  beat: [child: ManagedChild];
}

/** Children are `held` back from loading the app until they are `released`. */
type Phase = 'held' | 'released' | 'closing';

const PHASES = { held: ['released', 'closing'], released: ['closing'], closing: [] } as const;

/** Keeps one child of a kind in each slot: forks, boots, replaces, retires and ends them. */
export class Supervisor extends EventEmitter<Events> {
  readonly #options: SupervisorOptions;
  readonly #source: ChildSource;
  readonly #children = new Set<ManagedChild>();
  readonly #slots: Slot[];
  /** Whoever waits for a candidate to be ready. */
  readonly #awaited = new Map<ManagedChild, { ending: Ending; resolve(): void; reject(error: Error): void }>();
  readonly #replacing = new Set<Slot>();
  /** The first processes are forked before the Master is loaded. */
  #early: (() => void)[] | undefined = [];
  /** Of slots that have been given up. */
  #formerRestarts = 0;
  readonly #phase: StateMachine<Phase>;
  readonly #leaving: LeavingListener = {
    onDraining: (child, ending) => this.#replaceDraining(child, ending),
    onSignal: (child, ending) => this.#onSignal(child, ending),
  };

  /** @returns options that have changed since the cluster was started */
  bootOptions: () => Record<string, number> = () => ({});

  constructor(options: SupervisorOptions) {
    super();
    this.#options = options;
    this.#source = options.source;
    this.#slots = Array.from({ length: options.count }, (_, index) => new Slot(index));
    this.#phase = new StateMachine<Phase>(this, PHASES, 'held');
  }

  override toString(): string {
    return `supervisor of ${this.kind}s`;
  }

  get kind(): ChildKind {
    return this.#options.kind;
  }

  get all(): ManagedChild[] {
    return [...this.#children];
  }

  get ready(): ManagedChild[] {
    return this.all.filter(({ state }) => state === 'ready');
  }

  /** A child that is ready, for a kind that has one slot. */
  get current(): ManagedChild | undefined {
    for (const child of this.#children) if (child.state === 'ready') return child;
    return undefined;
  }

  /** How many children have been replaced. */
  get restarts(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.restarts, this.#formerRestarts);
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  find(id: number): ManagedChild | undefined {
    for (const child of this.#children) if (child.id === id) return child;
    return undefined;
  }

  /** The children that fill a slot: one, or two while one replaces the other. */
  occupants(slot: Slot): ManagedChild[] {
    return this.all.filter((child) => child.slot === slot && child.fillsSlot);
  }

  /** Forks a child into each slot; it loads the framework and waits for `release` before it loads the app. */
  start(): void {
    for (const slot of this.#slots) this.#fork(slot, 'starting');
  }

  /** To be called when the Master listens to events: those that came while it was loaded are emitted now. */
  open(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const emit of early) emit();
  }

  #tell(emit: () => void): void {
    if (this.#early) this.#early.push(emit);
    else emit();
  }

  /** Lets the children load the app. */
  release(): void {
    if (this.#phase.state !== 'held') return;
    this.#phase.become('released');
    for (const child of this.#children) this.#boot(child);
  }

  #fork(slot: Slot, state: 'starting' | 'candidate'): ManagedChild {
    if (this.#phase.state === 'closing') throw new Error('the cluster is closing');
    return this.#adopt(this.#source.fork(slot.index), slot, state);
  }

  #adopt(handle: Child, slot: Slot, state: 'starting' | 'candidate'): ManagedChild {
    const { kind, prepare } = this.#options;
    const child = new ManagedChild(kind, handle, slot, state);
    this.#children.add(child);
    handle.on('message', (message) => this.#onMessage(child, message));
    handle.on('error', (error) => {
      child.failure ??= error;
    });
    handle.once('disconnect', () => channelLost(child, this.#leaving));
    handle.once('exit', (code, signal) => this.#onExit(child, code, signal));
    const data: PrepareData = { ...prepare, token: handle.token };
    handle.send({ clutch: CONTROL.prepare, data });
    if (this.#phase.state === 'released') this.#boot(child);
    this.emit('forked', child);
    return child;
  }

  #boot(child: ManagedChild): void {
    child.bootedAt = Date.now();
    child.lastBeat = child.bootedAt;
    const boot = this.#options.boot(child.slot.index);
    child.options = this.bootOptions();
    child.handle.send({ clutch: CONTROL.boot, data: { ...boot, options: { ...boot.options, ...child.options } } });
  }

  #become(child: ManagedChild, state: ChildState): void {
    child.become(state);
    if (state === 'draining') this.#source.onDraining?.(child.handle);
    const refork = state === 'ready' && this.#phase.state !== 'closing' && !child.slot.backoff.active;
    const adopt = (replacement: Child): void => void this.#adopt(replacement, child.slot, 'starting');
    this.#source.setRefork?.(child.handle, refork ? adopt : undefined);
  }

  #onMessage(child: ManagedChild, envelope: Envelope): void {
    const { data } = envelope;
    switch (isControl(envelope) ? envelope.clutch : undefined) {
      case CONTROL.stats:
        child.beat(data as ProcessStats);
        this.emit('beat', child);
        break;
      case CONTROL.load:
        this.#source.onLoad?.(child.handle, data as WorkerLoad);
        break;
      case CONTROL.bootError:
        child.failure = data as ErrorData;
        break;
      case CONTROL.leaving:
        childLeaves(child, data as ErrorData | undefined, this.#leaving);
        break;
      case CONTROL.ready:
        this.#onReady(child, data as ListenAddress);
        break;
      default:
        this.#tell(() => this.emit('message', envelope, child));
    }
  }

  #onReady(child: ManagedChild, address: ListenAddress): void {
    if ((child.state !== 'starting' && child.state !== 'candidate') || this.#phase.state === 'closing') return;
    const replaced = this.occupants(child.slot).filter((other) => other !== child && other.state !== 'candidate');
    this.#become(child, 'ready');
    const awaited = this.#awaited.get(child);
    for (const old of replaced) void this.retire(old, awaited?.ending ?? { reason: 'reload', text: 'it was replaced' });
    this.#tell(() => this.emit('ready', child, address));
    awaited?.resolve();
    this.#awaited.delete(child);
  }

  #onSignal(child: ManagedChild, ending: Ending): void {
    if (this.#phase.state === 'closing' || !child.fillsSlot) return;
    child.endFor(ending);
    if (child.state !== 'ready') {
      // Its exit is reported as that of any other that did not boot.
      void child.handle.terminate(this.#options.closeTimeout);
      return;
    }
    void this.#end(child);
    this.#onDeath(child, ending.text, { crashed: false, hasServed: true });
  }

  /** Starts the replacement of a child that still serves its last requests. */
  #replaceDraining(child: ManagedChild, ending: Ending): void {
    if (child.state !== 'ready') return;
    child.endFor(ending);
    this.#become(child, 'draining');
    const { closeTimeout, drainTimeout } = this.#options;
    child.handle.killAfter(closeTimeout + 1000, drainTimeout + 1000);
    this.#onDeath(child, ending.text, { crashed: true, hasServed: true });
  }

  #onExit(child: ManagedChild, code: number | null, signal: string | null): void {
    const { state } = child;
    const reason = child.exitReason(code, signal);
    this.#become(child, 'exited');
    this.#children.delete(child);
    this.#source.onExit?.(child.handle);
    this.#tell(() => this.emit('exit', child, { code, signal, state, text: reason }));
    this.#awaited.get(child)?.reject(new Error(reason));
    this.#awaited.delete(child);
    // A draining child was asked to leave, or its replacement is on the way.
    if (state !== 'starting' && state !== 'ready') return;
    const outside = state === 'ready' && killedFromOutside(signal) && !child.ending;
    this.#onDeath(child, reason, { crashed: !outside, hasServed: state === 'ready' });
  }

  /** @param crashed whether the exit may be one of a crash loop */
  #onDeath(
    child: ManagedChild,
    reason: string,
    { crashed, hasServed }: { crashed: boolean; hasServed: boolean },
  ): void {
    const { slot } = child;
    slot.lastExit = reason;
    slot.hasServed = hasServed;
    slot.restarts += 1;
    if (this.#phase.state === 'closing') return;
    const backoff = crashed ? slot.backoff.delayAfter(Date.now() - child.bootedAt) : 0;
    // It may end the boot.
    this.#tell(() => {
      const delay = hasServed && this.#isDeserted() ? Math.min(backoff, SOON) : backoff;
      debug('%s is replaced in %d ms, crashed: %s, attempt %d', child, delay, crashed, slot.backoff.attempt);
      this.emit('died', child, reason, delay);
      this.#fill(slot, delay);
      this.#hasten();
    });
  }

  /** Whether no app worker serves or is going to soon. An Agent has no requests that wait. */
  #isDeserted(): boolean {
    if (this.kind === 'agent' || this.all.some(({ fillsSlot }) => fillsSlot)) return false;
    return !this.#slots.some(({ retryAt }) => retryAt !== undefined && retryAt <= Date.now() + SOON);
  }

  /** Starts one of those soon that have served before they crashed; what does not boot waits as long as its backoff says. */
  #hasten(): void {
    if (!this.#isDeserted()) return;
    const [first] = this.#slots
      .filter(({ retryAt, hasServed }) => retryAt !== undefined && hasServed)
      .sort((a, b) => (a.retryAt as number) - (b.retryAt as number));
    first?.retryWithin(SOON);
  }

  /** Forks a child into a slot after `delay` milliseconds, unless something else fills it by then. */
  #fill(slot: Slot, delay: number): void {
    if (slot.retryAt !== undefined || this.#replacing.has(slot)) return;
    const fill = (): void => {
      if (this.#phase.state === 'closing' || !this.#slots.includes(slot)) return;
      if (this.occupants(slot).length === 0) this.#fork(slot, 'starting');
    };
    if (delay > 0) slot.retryAfter(delay, fill);
    else fill();
  }

  /** Forks into slots that have no child and wait for none; there are none unless something went wrong. */
  fillGaps(): void {
    for (const slot of this.#slots) this.#fill(slot, 0);
  }

  /**
   * Boots a candidate for a slot; when it is ready, the children that filled the slot are retired.
   *
   * @param ending why they are
   * @throws the candidate's error when it does not boot; the others stay then
   */
  async replace(slot: Slot, ending: Ending): Promise<void> {
    debug('%s: a candidate is started for slot %d', this, slot.index);
    slot.cancelRetry();
    this.#replacing.add(slot);
    try {
      const replaced = this.occupants(slot);
      for (const { handle } of replaced) this.#source.setRefork?.(handle, undefined);
      if (this.#source.exclusive) await Promise.all(replaced.map((old) => this.retire(old, ending)));
      const candidate = this.#fork(slot, 'candidate');
      await new Promise<void>((resolve, reject) => this.#awaited.set(candidate, { ending, resolve, reject }));
    } finally {
      this.#replacing.delete(slot);
      this.fillGaps();
    }
  }

  /**
   * Says that the event loop of a child is going to stand still: it gets no connections meanwhile, where the Master distributes them,
   * and is not taken for one that hangs.
   *
   * @param limit milliseconds after which it is
   * @returns a function that ends the pause
   */
  pause(child: ManagedChild, limit: number): () => void {
    child.pausedUntil = Date.now() + limit;
    this.#source.onPaused?.(child.handle, true);
    return () => {
      // It catches up on what has waited, and its heartbeat comes after that.
      child.pausedUntil = Date.now() + CATCH_UP;
      this.#source.onPaused?.(child.handle, false);
    };
  }

  /** Asks a child to drain and end; resolves when it has exited. */
  async retire(child: ManagedChild, ending: Ending): Promise<void> {
    if (!child.fillsSlot) return;
    child.endFor(ending);
    await this.#end(child);
  }

  #end(child: ManagedChild): Promise<void> {
    if (child.fillsSlot) this.#become(child, 'draining');
    const { closeTimeout, drainTimeout } = this.#options;
    return child.handle.terminate(closeTimeout, drainTimeout);
  }

  addSlot(): Slot {
    const slot = new Slot(this.#slots.length);
    this.#slots.push(slot);
    return slot;
  }

  /** Gives up the last slot; its child drains. */
  removeSlot(ending: Ending): void {
    const slot = this.#slots.pop();
    if (!slot) return;
    this.#formerRestarts += slot.restarts;
    slot.cancelRetry();
    for (const child of this.occupants(slot)) void this.retire(child, ending);
  }

  /** A child that dies from now on stays dead. */
  stopReplacing(): void {
    if (this.#phase.state === 'closing') return;
    this.#phase.become('closing');
    for (const slot of this.#slots) slot.cancelRetry();
    for (const { handle } of this.#children) this.#source.setRefork?.(handle, undefined);
    this.#source.close?.();
  }

  /** Ends every child. */
  async close(ending: Ending): Promise<void> {
    this.stopReplacing();
    for (const child of this.#children) child.endFor(ending);
    await Promise.all(this.all.map((child) => this.#end(child)));
  }
}
