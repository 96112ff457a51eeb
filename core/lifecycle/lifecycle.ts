import { EventEmitter } from 'node:events';
import { debuglog } from 'node:util';
import { ClutchError, toError } from '../../errors.js';
import { isPromise, type Timing, toAsyncFunction } from '../../loader/index.js';
import { withPosition } from '../../output/hook_position.js';
import { channels, trace } from '../../tracing/channels.js';
import type { TracedApp } from '../../tracing/payloads.js';
import { BootDeadline } from './boot_deadline.js';
import { assertEnded, type BootClass, type ConfigHook, type NamedHook } from './boot_hook.js';
import { CloseHooks } from './close_hooks.js';
import { Ready } from './ready.js';
import { readyTimeout, TaskGroup, type TaskOptions } from './task_group.js';

const log = debuglog('clutch:lifecycle');

type Phase = 'collecting' | 'initialized' | 'closing' | 'closed';
type AsyncHook = 'didLoad' | 'willReady' | 'didReady' | 'serverDidReady';

/** What the timeline calls the hooks. */
const TITLES: Record<AsyncHook, string> = {
  didLoad: 'Did Load',
  willReady: 'Will Ready',
  didReady: 'Did Ready',
  serverDidReady: 'Server Did Ready',
};

const NEXT_PHASES: Record<Phase, readonly Phase[]> = {
  collecting: ['initialized', 'closing'],
  initialized: ['closing'],
  closing: ['closed'],
  closed: [],
};

/**
 * Runs the hooks of one application in order and keeps its ready state.
 * Emits `error`, `ready_timeout` (task name), `ready_stat` and `startTimeout`.
 */
export class Lifecycle extends EventEmitter {
  readonly app: object;
  readonly timing: Timing;
  readonly #ready = new Ready((thrown) => this.#report(toError(thrown)));
  readonly #load: TaskGroup;
  readonly #boot: TaskGroup;
  readonly #collected: ((app: object) => NamedHook)[] = [];
  #hooks: NamedHook[] = [];
  #phase: Phase = 'collecting';
  /** How many async hooks are running. */
  #running = 0;
  readonly #closeHooks = new CloseHooks();
  #closing: Promise<void> | undefined;
  #interruption: Error | undefined;
  readonly #deadline = new BootDeadline({
    onTooLate: (limit) => {
      this.emit('startTimeout');
      this.#failUnfinished(`not ready after ${limit} ms (start timeout)`, {
        fix: 'Raise config.workerStartTimeout, or find out why this does not end.',
      });
    },
    onIdle: () =>
      this.#failUnfinished('not ready, and nothing is left in the process that it could wait for', {
        fix: 'A promise there never settles: nothing calls its resolve, or its socket, timer or file is unref’d or gone.',
      }),
  });

  constructor(app: object, timing: Timing) {
    super();
    this.app = app;
    this.timing = timing;
    const timeout = readyTimeout();
    this.#load = this.#taskGroup(timeout);
    this.#boot = this.#taskGroup(timeout);
    this.#load.on('done', () => this.#triggerWillReady());
    this.#boot.on('done', () => this.#ready.settle());
    this.#ready.onSettled((error) => this.#onReady(error));
    // Loading is synchronous, so all tasks that the constructor adds are known on the next tick.
    process.nextTick(() => {
      if (this.isClosing) return;
      this.#deadline.start();
      this.#load.start();
    });
  }

  #taskGroup(timeout: number): TaskGroup {
    const group = new TaskGroup(timeout);
    group.on('timeout', (name: string, after: number) => this.emit('ready_timeout', name, after));
    group.on('stat', (stat) => this.emit('ready_stat', stat));
    group.on('failed', (error: Error) => this.#ready.settle(error));
    group.on('late', (error: Error) => this.#report(error));
    return group;
  }

  #enter(phase: Phase): void {
    if (!NEXT_PHASES[this.#phase].includes(phase)) throw new Error(`lifecycle: ${this.#phase} → ${phase}`);
    log('%s → %s', this.#phase, phase);
    this.#phase = phase;
  }

  /** From the call of `close()` on. */
  get isClosing(): boolean {
    return this.#phase === 'closing' || this.#phase === 'closed';
  }

  get readyState(): Ready {
    return this.#ready;
  }

  /** The error that ready failed with if `close()` interrupted the boot, or a file could not be loaded. */
  get interruption(): Error | undefined {
    return this.#interruption;
  }

  /** What ready waits for, e.g. `/srv/app/app.js:didLoad`. */
  get remaining(): string[] {
    return [...this.#load.remaining, ...this.#boot.remaining].map(({ description }) => description);
  }

  /** Fails the boot if it is not ready in time. @param limit milliseconds from now; 0 for no limit */
  limitBoot(limit: number): void {
    if (this.#ready.state === 'pending' && !this.isClosing) this.#deadline.setLimit(limit);
  }

  /**
   * The files could not be loaded. Whoever waits for ready is not called: it would run without what has not been loaded, and its
   * failure would hide the cause. From now on `close()` only gives back what was opened.
   */
  abandon(error: Error): void {
    this.#interruption = error;
    this.#ready.abandon(error);
  }

  #failUnfinished(what: string, { fix }: { fix: string }): void {
    const where = this.remaining.map((description) => `still running: ${withPosition(description)}`);
    this.#ready.settle(new ClutchError('ERR_CLUTCH_BOOT', what, { where, fix }));
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE after `init()` */
  addBootHook(Boot: BootClass): void {
    this.#collect((app) => ({ hook: new Boot(app as never), file: Boot.prototype.fullPath ?? Boot.name }));
  }

  /** Adds an `app.js` that exports a function: it runs as `configDidLoad`, and ready waits if it is async. */
  addFunctionAsBootHook(hook: (app: unknown) => unknown, file = hook.name): void {
    this.#collect((app) => {
      const configDidLoad = (): void => {
        const result = hook(app);
        if (isPromise(result)) this.#load.track(file, `the async function of ${file}`, result);
      };
      return { hook: { configDidLoad }, file };
    });
  }

  #collect(create: (app: object) => NamedHook): void {
    if (this.#phase !== 'collecting') {
      throw new ClutchError('ERR_CLUTCH_LIFECYCLE', 'do not add hook when lifecycle has been initialized', {
        fix: 'Add hooks before the loader loads app.js and agent.js.',
      });
    }
    this.#collected.push(create);
  }

  /** Creates the hooks, in order. */
  init(): void {
    if (this.#phase !== 'collecting') {
      throw new ClutchError('ERR_CLUTCH_LIFECYCLE', 'lifecycle has been initialized', { fix: 'Call init() once.' });
    }
    this.#enter('initialized');
    this.#hooks = this.#collected.map((create) => create(this.app));
  }

  /** Runs `configWillLoad` of every hook, then `configDidLoad`, and schedules `didLoad`. */
  triggerConfigWillLoad(): void {
    for (const named of this.#hooks) this.#runConfigHook(named, 'configWillLoad');
    for (const named of this.#hooks) {
      this.#runConfigHook(named, 'configDidLoad');
      const { hook } = named;
      if (hook.beforeClose)
        this.registerBeforeClose(() =>
          this.#trace('beforeClose', named.file, () => toAsyncFunction(hook.beforeClose)?.call(hook)),
        );
    }
    for (const named of this.#hooks) this.#schedule(this.#load, named, 'didLoad');
  }

  #runConfigHook({ hook, file }: NamedHook, name: ConfigHook): void {
    if (!hook[name]) return;
    const title = `${name} in ${file}`;
    log('%s', title);
    const run = (): unknown => this.timing.measure(title, () => toAsyncFunction(hook[name])?.call(hook));
    const result = this.#trace(name, file, run);
    if (isPromise(result)) this.#load.track(title, title, assertEnded(result, name, file));
  }

  #trace(hook: AsyncHook | ConfigHook | 'beforeClose', file: string, run: () => unknown): unknown {
    return channels.hook.hasSubscribers ? trace('hook', { app: this.app as TracedApp, hook, file }, run) : run();
  }

  #schedule(group: TaskGroup, named: NamedHook, name: AsyncHook): void {
    const { hook, file } = named;
    if (!hook[name]) return;
    const task = `${file}:${name}`;
    group.run(task, task, () => this.#runAsync(named, name));
  }

  async #runAsync({ hook, file }: NamedHook, name: AsyncHook, error?: Error): Promise<void> {
    const end = this.#begin(`${TITLES[name]} in ${file}:${name}`);
    this.#running += 1;
    try {
      await this.#trace(name, file, () => toAsyncFunction(hook[name])?.call(hook, error));
    } finally {
      this.#running -= 1;
    }
    end();
  }

  /** @returns the function that ends the item in the timeline */
  #begin(title: string): () => void {
    log('%s', title);
    this.timing.start(title);
    return () => {
      log('%s has ended', title);
      // The timeline is complete once the boot has ended or the application has closed.
      if (this.timing.unfinished().some((item) => item.name === title)) this.timing.end(title);
    };
  }

  #triggerWillReady(): void {
    if (this.isClosing) return;
    for (const named of this.#hooks) this.#schedule(this.#boot, named, 'willReady');
    this.#boot.start();
  }

  #onReady(error: Error | undefined): void {
    log('ready: %s', error ?? 'yes');
    this.#deadline.stop();
    if (error && error !== this.#interruption) this.#report(error);
    if (this.isClosing) return;
    void this.#runInOrder('didReady', error);
  }

  /** Runs `serverDidReady` of every hook, one after the other. */
  async triggerServerDidReady(): Promise<void> {
    await this.#runInOrder('serverDidReady');
  }

  async #runInOrder(name: 'didReady' | 'serverDidReady', error?: Error): Promise<void> {
    for (const named of this.#hooks) {
      if (!named.hook[name] || this.isClosing) continue;
      try {
        await this.#runAsync(named, name, error);
      } catch (thrown) {
        this.#report(toError(thrown));
      }
    }
  }

  /** A closed application has no listeners and no logger. */
  #report(error: Error): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else process.emitWarning(`a hook failed after the app was closed: ${error.stack}`, 'ClutchWarning');
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE when `task` is not a function, or the application closes */
  registerBeforeStart(task: () => unknown, name: string, site: string): void {
    assertFunction(task, 'beforeStart takes a function');
    this.#assertOpen();
    const title = name === site ? 'beforeStart' : `beforeStart "${name}"`;
    this.#load.run(name, `${title} at ${site}`, async () => {
      const end = this.#begin(`Before Start in ${name}`);
      await toAsyncFunction(task)();
      end();
    });
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE when the application closes */
  readyCallback(name: string, site: string, options?: TaskOptions): (error?: unknown) => void {
    this.#assertOpen();
    const end = this.#begin(`readyCallback in ${name}`);
    const done = this.#load.add(name, `readyCallback "${name}" at ${site}`, options);
    return (error) => {
      end();
      done(error);
    };
  }

  #assertOpen(): void {
    if (!this.isClosing) return;
    throw new ClutchError('ERR_CLUTCH_LIFECYCLE', 'app has been closed', { fix: 'Register before close().' });
  }

  /**
   * Registers a function that `close()` runs. A hook that `close()` interrupted may still register one: if the application has
   * closed by then, it runs immediately.
   *
   * @throws {ClutchError} ERR_CLUTCH_LIFECYCLE when closed and no hook is running, or `closer` is not a function
   */
  registerBeforeClose(closer: () => unknown): void {
    assertFunction(closer, 'beforeClose takes a function');
    if (this.#phase !== 'closed') {
      this.#closeHooks.add(closer);
      return;
    }
    if (this.#running === 0 && this.remaining.length === 0) this.#assertOpen();
    void Promise.resolve()
      .then(toAsyncFunction(closer))
      .catch((error: unknown) => this.#report(toError(error)));
  }

  /**
   * Runs the registered functions in reverse order, one after the other. Every call has the same outcome.
   * A boot that is under way stops: no further hook starts, and ready fails.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#enter('closing');
    this.#load.cancel();
    this.#boot.cancel();
    this.#deadline.stop();
    if (this.#ready.state === 'pending') {
      const what = 'the app was closed while it booted';
      this.#interruption = new ClutchError('ERR_CLUTCH_LIFECYCLE', what, { where: this.remaining });
      this.#ready.settle(this.#interruption);
    }
    // Rejections of the tick in which a boot ends are delivered while the application still handles them.
    if (this.#ready.state === 'failed') await new Promise((resolve) => setImmediate(resolve));
    try {
      await this.#closeHooks.run((error) => this.#report(error));
    } finally {
      this.#enter('closed');
    }
    this.emit('close');
    this.removeAllListeners();
  }
}

function assertFunction(value: unknown, message: string): void {
  if (typeof value !== 'function') {
    throw new ClutchError('ERR_CLUTCH_LIFECYCLE', message, { where: `got ${typeof value}`, fix: 'Give a function.' });
  }
}
