import type { Context, Next } from '../../../core/index.js';
import { directoriesOf, type StaticConfig } from '../lib/options.js';
import { sendFile } from './send_file.js';
import { type StaticFile, StaticFiles } from './static_files.js';

/** Serves the files of the configured directories. */
export class StaticServer {
  readonly #directories: StaticFiles[];
  #preloading: Promise<unknown> | undefined;

  constructor(config: StaticConfig) {
    const directories = directoriesOf(config);
    this.#directories = directories.map((directory) => new StaticFiles(directory));
    const preloaded = this.#directories.filter((_files, index) => directories[index]?.preload);
    if (preloaded.length > 0) {
      this.#preloading = Promise.all(preloaded.map((files) => files.preload())).finally(() => {
        this.#preloading = undefined;
      });
    }
  }

  /** Answers, or calls `next` if there is no file. */
  serve(ctx: Context, next: Next, pathname: string): unknown {
    if (this.#preloading) return this.#preloading.then(() => this.#serve(ctx, next, pathname, 0));
    return this.#serve(ctx, next, pathname, 0);
  }

  #serve(ctx: Context, next: Next, pathname: string, from: number): unknown {
    for (let index = from; index < this.#directories.length; index += 1) {
      const files = this.#directories[index] as StaticFiles;
      if (!pathname.startsWith(files.prefix)) continue;
      const found = files.find(pathname.slice(files.prefix.length));
      if (found instanceof Promise) {
        return found.then((file: StaticFile | undefined) => {
          return file ? sendFile(ctx, file) : this.#serve(ctx, next, pathname, index + 1);
        });
      }
      if (found) return sendFile(ctx, found);
    }
    return next();
  }
}
