import { unwatchFile, watchFile } from 'node:fs';

interface Log {
  info(message: string): void;
  error(message: string): void;
}

/** Milliseconds between two looks at a file: watching its directory would miss what it links to. */
const INTERVAL = 1000;
/** Milliseconds in which the change of key and certificate counts as one. */
const DEBOUNCE = 300;

/** Notices that keys and certificates have changed on disk, and has the workers read them again. */
export class Certificates {
  readonly #files = new Set<string>();
  readonly #log: Log;
  readonly #reload: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the outcome of the last change has been logged: each worker reports one. */
  #isReported = true;
  readonly #onChange = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isReported = false;
      this.#reload();
    }, DEBOUNCE).unref();
  };

  /** @param reload asks every worker to read the files */
  constructor(log: Log, reload: () => void) {
    this.#log = log;
    this.#reload = reload;
  }

  /** The files that a worker has read. */
  watch(files: readonly string[]): void {
    for (const file of files) {
      if (this.#files.has(file)) continue;
      this.#files.add(file);
      watchFile(file, { interval: INTERVAL, persistent: false }, this.#onChange);
    }
  }

  /** @param error why a worker goes on with the old ones */
  reloaded(error: string | undefined): void {
    if (this.#isReported) return;
    this.#isReported = true;
    if (error === undefined) this.#log.info('keys and certificates have changed, and are used from now on');
    else this.#log.error(`keys and certificates have changed and cannot be used, the old ones stay: ${error}`);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const file of this.#files) unwatchFile(file, this.#onChange);
  }
}
