import { CONTROL } from '../../ipc/message.js';
import type { PrepareData, WorkerLoad } from '../protocol/protocol.js';
import type { Child } from './child_handle.js';
import type { ChildSource } from './child_source.js';

/** Milliseconds after a fork until the next child is forked ahead: the one that is needed now boots first. */
const DELAY = 500;

/**
 * Keeps one child ahead that has loaded the framework and no file of the app, so that a replacement takes only as long as the app
 * needs to load. For development: it costs the memory of one more process.
 */
export class SpareSource implements ChildSource {
  readonly #source: ChildSource;
  readonly #prepare: Omit<PrepareData, 'token'>;
  #spare: Child | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: ChildSource, prepare: Omit<PrepareData, 'token'>) {
    this.#source = source;
    this.#prepare = prepare;
  }

  get exclusive(): boolean {
    return this.#source.exclusive;
  }

  fork(slot: number): Child {
    const child = this.#spare?.alive ? this.#spare : this.#source.fork(slot);
    this.#spare = undefined;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#forkAhead(slot), DELAY).unref();
    return child;
  }

  #forkAhead(slot: number): void {
    const spare = this.#source.fork(slot);
    // Without a listener an error would be thrown; a spare that has failed is not alive when it is needed.
    spare.on('error', () => undefined);
    spare.send({ clutch: CONTROL.prepare, data: { ...this.#prepare, token: spare.token } });
    this.#spare = spare;
  }

  setRefork(child: Child, adopt: ((replacement: Child) => void) | undefined): void {
    this.#source.setRefork?.(child, adopt);
  }

  onDraining(child: Child): void {
    this.#source.onDraining?.(child);
  }

  onPaused(child: Child, isPaused: boolean): void {
    this.#source.onPaused?.(child, isPaused);
  }

  onLoad(child: Child, load: WorkerLoad): void {
    this.#source.onLoad?.(child, load);
  }

  onExit(child: Child): void {
    this.#source.onExit?.(child);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#spare?.kill();
    this.#source.close?.();
  }
}
