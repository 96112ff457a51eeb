import { ClutchError } from '../../errors.js';

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
  /** The process is about to end; runs in reverse order of loading. */
  beforeClose?(): Promise<unknown> | unknown;
}

export type BootClass = new (app: never) => BootHook;
export type ConfigHook = 'configWillLoad' | 'configDidLoad';

/** A hook object with the file that it comes from. */
export interface NamedHook {
  hook: BootHook;
  file: string;
}

const PENDING = Symbol('pending');

/**
 * Waits for a config hook that returned a promise. Files are loaded right after the hook, so it must have run to its end
 * by then: an `async` one without an `await` has.
 *
 * @param promise as the hook returned it, in the same tick
 * @throws {ClutchError} ERR_CLUTCH_LIFECYCLE if the hook is still running; what the hook threw
 */
export async function assertEnded(promise: PromiseLike<unknown>, name: ConfigHook, file: string): Promise<void> {
  // A promise that has settled by now wins the race.
  if ((await Promise.race([promise, PENDING])) !== PENDING) return;
  throw new ClutchError('ERR_CLUTCH_LIFECYCLE', `${name} is async, and nothing waits for what it awaits`, {
    where: file,
    fix: 'Make it synchronous, and move what must be awaited to didLoad.',
  });
}
