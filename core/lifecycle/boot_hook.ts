import { ClutchError } from '../../errors.js';
import { callSynchronously } from '../../loader/index.js';

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

/**
 * Calls a hook of the synchronous part of the boot.
 *
 * @throws {ClutchError} ERR_CLUTCH_LIFECYCLE when the hook is async: what is loaded next would see the config before its change
 */
export function callConfigHook({ hook, file }: NamedHook, name: ConfigHook): void {
  callSynchronously(
    hook[name],
    () => hook[name]?.(),
    () =>
      new ClutchError('ERR_CLUTCH_LIFECYCLE', `${name} is async, and files are loaded right after it`, {
        where: file,
        fix: 'Make it synchronous, and move what must be awaited to didLoad.',
      }),
  );
}
