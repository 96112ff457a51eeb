import { type FSWatcher, readdirSync, watch } from 'node:fs';
import path from 'node:path';

/** Directories below the app that are not code. */
const IGNORED = new Set(['node_modules', 'app/public', 'app/view', 'app/views', 'app/assets', 'app/web']);
const SOURCE = /(?<!\.d)\.(?:[cm]?[jt]s|json)$/;

/**
 * Watches the source files of an app: `app/`, `config/` and the modules beside package.json.
 * One watcher per directory: Node's own recursive watching misses changes on Linux while it still walks the tree.
 */
export class SourceWatcher {
  readonly #baseDir: string;
  readonly #onChange: (file: string) => void;
  readonly #watchers = new Map<string, FSWatcher>();

  /** @param onChange gets the path relative to the app, with `/` */
  constructor(baseDir: string, onChange: (file: string) => void) {
    this.#baseDir = baseDir;
    this.#onChange = onChange;
    this.#watch('');
    for (const dir of ['app', 'config']) this.#watchTree(dir);
  }

  #watchTree(dir: string): void {
    if (IGNORED.has(dir) || !this.#watch(dir)) return;
    for (const entry of readdirSync(path.join(this.#baseDir, dir), { withFileTypes: true })) {
      if (entry.isDirectory()) this.#watchTree(`${dir}/${entry.name}`);
    }
  }

  /** @returns false when there is no such directory */
  #watch(dir: string): boolean {
    if (this.#watchers.has(dir)) return true;
    try {
      const watcher = watch(path.join(this.#baseDir, dir), (_event, name) => this.#onEvent(dir, name));
      watcher.on('error', () => this.#forget(dir));
      this.#watchers.set(dir, watcher);
      return true;
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  }

  #onEvent(dir: string, name: string | null): void {
    if (name === null) return;
    const file = dir === '' ? name : `${dir}/${name}`;
    if (SOURCE.test(file)) {
      if (dir !== '' || /^(?:app|agent)\./.test(name)) this.#onChange(file);
    } else if (dir !== '' || name === 'app' || name === 'config') {
      // Perhaps a directory that has come or gone.
      this.#forget(file);
      this.#watchTree(file);
    }
  }

  #forget(dir: string): void {
    this.#watchers.get(dir)?.close();
    this.#watchers.delete(dir);
  }
}
