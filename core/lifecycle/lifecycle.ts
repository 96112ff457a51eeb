import { EventEmitter } from 'node:events';
import { ClutchError, toError } from '../../errors.js';
import { type Timing, toAsyncFunction } from '../../loader/index.js';
import { Ready, readyTimeout, TaskGroup, type TaskOptions } from './ready.js';

/** The hooks that a Boot class may have. */
export interface BootHook {
  /** Files and config are there; config may still be changed. Synchronous. */
  configWillLoad?(): void;
  /** Config is final; services, middleware, controllers and router are loaded next. Synchronous. */
  configDidLoad?(): void;
  /** All files are loaded; the process is not ready before it ends. */
  didLoad?(): Promise<unknown> | unknown;
  /** Every didLoad has ended; the process is not ready before it ends. */
  willReady?(): Promise<unknown> | unknown;
  /** The process is ready, or failed with the error. */
  didReady?(error?: Error): Promise<unknown> | unknown;
  /** Every process of the cluster is ready (`egg-ready`). */
  serverDidReady?(): Promise<unknown> | unknown;
  /** The process is about to go; runs in reverse order of loading. */
  beforeClose?(): Promise<unknown> | unknown;
}

export type BootClass = new (app: never) => BootHook;
type Phase = 'collecting' | 'initialized' | 'closing' | 'closed';
type AsyncHook = 'didLoad' | 'willReady' | 'didReady' | 'serverDidReady';
type FunctionHook = (app: unknown) => unknown;

interface NamedHook {
  hook: BootHook;
  file: string;
}

/**
 * Runs the hooks of one application in order and keeps its ready state.
 * Emits `error`, `ready_timeout` (task name) and `ready_stat`.
 */
export class Lifecycle extends EventEmitter {
  readonly #app: object;
  readonly #timing: Timing;
  readonly #ready = new Ready();
  readonly #load: TaskGroup;
  readonly #boot: TaskGroup;
  readonly #collected: ((app: object) => NamedHook)[] = [];
  #hooks: NamedHook[] = [];
  #phase: Phase = 'collecting';
  readonly #closers = new Set<() => unknown>();
  #closing: Promise<void> | undefined;

  constructor(app: object, timing: Timing) {
    super();
    this.#app = app;
    this.#timing = timing;
    const timeout = readyTimeout();
    this.#load = new TaskGroup(timeout);
    this.#boot = new TaskGroup(timeout);
    for (const group of [this.#load, this.#boot]) {
      group.on('timeout', (name: string, after: number) => this.emit('ready_timeout', name, after));
      group.on('stat', (stat) => this.emit('ready_stat', stat));
    }
    this.#load.ready.onSettled((error) => {
      if (error) this.#ready.settle(error);
      else this.#triggerWillReady();
    });
    this.#boot.ready.onSettled((error) => this.#ready.settle(error));
    this.#ready.onSettled((error) => {
      if (error) this.emit('error', error);
      void this.#triggerDidReady(error);
    });
    // Loading is synchronous, so that all tasks of the constructor are known by then.
    process.nextTick(() => this.#load.start());
  }

  get readyState(): Ready {
    return this.#ready;
  }

  /** Names of the tasks that ready waits for. */
  get remaining(): string[] {
    return [...this.#load.remaining, ...this.#boot.remaining];
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE after `init()` */
  addBootHook(Boot: BootClass): void {
    this.#collect((app) => ({ hook: new Boot(app as never), file: Boot.prototype.fullPath ?? Boot.name }));
  }

  /** Takes the function style of `app.js`: the function runs as a `configDidLoad`. */
  addFunctionAsBootHook(hook: FunctionHook, file = hook.name): void {
    this.#collect((app) => ({ hook: { configDidLoad: () => void hook(app) }, file }));
  }

  #collect(create: (app: object) => NamedHook): void {
    if (this.#phase !== 'collecting') {
      throw new ClutchError('ERR_CLUTCH_LIFECYCLE', 'do not add hook when lifecycle has been initialized', {
        fix: 'Add hooks before the loader loads app.js and agent.js.',
      });
    }
    this.#collected.push(create);
  }

  /** Makes the hooks, in order. */
  init(): void {
    if (this.#phase !== 'collecting') {
      throw new ClutchError('ERR_CLUTCH_LIFECYCLE', 'lifecycle has been initialized', { fix: 'Call init() once.' });
    }
    this.#phase = 'initialized';
    this.#hooks = this.#collected.map((create) => create(this.#app));
  }

  /** Runs `configWillLoad` of every hook, then `configDidLoad`, and schedules `didLoad`. */
  triggerConfigWillLoad(): void {
    for (const named of this.#hooks) this.#runSync(named, 'configWillLoad');
    for (const named of this.#hooks) {
      this.#runSync(named, 'configDidLoad');
      const { hook } = named;
      if (hook.beforeClose) this.registerBeforeClose(() => toAsyncFunction(hook.beforeClose)?.call(hook));
    }
    for (const named of this.#hooks) this.#schedule(this.#load, named, 'didLoad');
  }

  #runSync({ hook, file }: NamedHook, name: 'configWillLoad' | 'configDidLoad'): void {
    if (hook[name]) this.#timing.measure(`${name} in ${file}`, () => hook[name]?.());
  }

  #schedule(group: TaskGroup, named: NamedHook, name: AsyncHook): void {
    if (named.hook[name]) group.run(`${named.file}:${name}`, () => this.#runAsync(named, name));
  }

  async #runAsync({ hook, file }: NamedHook, name: AsyncHook, error?: Error): Promise<void> {
    const title = `${name} in ${file}`;
    this.#timing.start(title);
    await toAsyncFunction(hook[name])?.call(hook, error);
    // An application that is closed while it boots has ended its timeline.
    if (this.#timing.unfinished().some((item) => item.name === title)) this.#timing.end(title);
  }

  #triggerWillReady(): void {
    for (const named of this.#hooks) this.#schedule(this.#boot, named, 'willReady');
    this.#boot.start();
  }

  async #triggerDidReady(error?: Error): Promise<void> {
    await this.#runInOrder('didReady', error);
  }

  /** Runs `serverDidReady` of every hook, one after the other. */
  async triggerServerDidReady(): Promise<void> {
    await this.#runInOrder('serverDidReady');
  }

  async #runInOrder(name: 'didReady' | 'serverDidReady', error?: Error): Promise<void> {
    for (const named of this.#hooks) {
      if (!named.hook[name]) continue;
      try {
        await this.#runAsync(named, name, error);
      } catch (thrown) {
        this.emit('error', toError(thrown));
      }
    }
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE when `task` is not a function */
  registerBeforeStart(task: () => unknown, name: string): void {
    assertFunction(task, 'boot only support function');
    this.#load.run(name, toAsyncFunction(task));
  }

  readyCallback(name: string, options?: TaskOptions): (error?: unknown) => void {
    return this.#load.add(name, options);
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE when closed or `closer` is not a function */
  registerBeforeClose(closer: () => unknown): void {
    assertFunction(closer, 'argument should be function');
    if (this.#phase === 'closed') {
      throw new ClutchError('ERR_CLUTCH_LIFECYCLE', 'app has been closed', { fix: 'Register before close().' });
    }
    this.#closers.add(toAsyncFunction(closer));
  }

  /** Runs what was registered, in reverse order, one after the other. Every call gives the same outcome. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#phase = 'closing';
    this.#load.stopTimers();
    this.#boot.stopTimers();
    for (const closer of [...this.#closers].reverse()) {
      await closer();
      this.#closers.delete(closer);
    }
    this.#phase = 'closed';
    this.emit('close');
    this.removeAllListeners();
  }
}

function assertFunction(value: unknown, message: string): void {
  if (typeof value !== 'function') {
    throw new ClutchError('ERR_CLUTCH_LIFECYCLE', message, { where: `got ${typeof value}`, fix: 'Give a function.' });
  }
}
