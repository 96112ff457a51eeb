import { EventEmitter } from 'node:events';
import { type FSWatcher, readdirSync, type Stats, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { ChangeInfo, EventSource } from '../lib/types.js';

/**
 * Watches files and whole directories, also such that do not exist yet.
 * One watcher for each directory: Node's own recursive watching misses changes on Linux while it still walks the tree.
 */
export class FileEvents extends EventEmitter implements EventSource {
  readonly #watched = new Set<string>();
  readonly #watchers = new Map<string, FSWatcher>();

  watch(file: string): void {
    this.#watched.add(file);
    // What is replaced, comes or goes is an event of the directory that it is in.
    this.#watchNearest(path.dirname(file));
    if (statOf(file)?.isDirectory()) this.#watchTree(file);
  }

  unwatch(file: string): void {
    this.#watched.delete(file);
    for (const dir of [...this.#watchers.keys()]) if (!this.#isNeeded(dir)) this.#forget(dir);
  }

  close(): void {
    for (const dir of [...this.#watchers.keys()]) this.#forget(dir);
  }

  #isNeeded(dir: string): boolean {
    return [...this.#watched].some((file) => isBelow(dir, file) || dir === file || isBelow(file, dir));
  }

  #watchNearest(dir: string): void {
    for (let at = dir; ; at = path.dirname(at)) {
      if (this.#watchDirectory(at) || path.dirname(at) === at) return;
    }
  }

  #watchTree(dir: string): void {
    if (path.basename(dir) === 'node_modules' || !this.#watchDirectory(dir)) return;
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (entry.isDirectory()) this.#watchTree(path.join(dir, entry.name));
    }
  }

  /** @returns false if there is no such directory */
  #watchDirectory(dir: string): boolean {
    if (this.#watchers.has(dir)) return true;
    try {
      const watcher = watch(dir, (event, name) => {
        if (name !== null) this.#onEvent(event as 'change' | 'rename', path.join(dir, name));
      });
      watcher.on('error', () => this.#forget(dir));
      this.#watchers.set(dir, watcher);
      return true;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) this.emit('error', error);
      return false;
    }
  }

  #onEvent(event: 'change' | 'rename', file: string): void {
    const stat = statOf(file);
    const isMeant = [...this.#watched].some((watched) => file === watched || isBelow(file, watched));
    const isAbove = [...this.#watched].some((watched) => isBelow(watched, file));
    if (!isMeant && !isAbove) return;
    if (!stat) this.#forgetTree(file);
    else if (stat.isDirectory()) this.#onDirectory(file);
    if (isMeant) this.emit('change', infoOf(file, event, stat));
  }

  /** A directory has come, perhaps with files in it that came before it was watched. */
  #onDirectory(dir: string): void {
    if (this.#watchers.has(dir)) return;
    const isMeant = [...this.#watched].some((file) => dir === file || isBelow(dir, file));
    if (isMeant) this.#announceTree(dir);
    for (const file of this.#watched) {
      if (!isBelow(file, dir)) continue;
      this.watch(file);
      const stat = statOf(file);
      if (stat?.isDirectory()) this.#announceTree(file);
      if (stat) this.emit('change', infoOf(file, 'rename', stat));
    }
  }

  #announceTree(dir: string): void {
    this.#watchTree(dir);
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const file = path.join(dir, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') this.#announceTree(file);
      else if (entry.isFile()) this.emit('change', infoOf(file, 'rename', statOf(file)));
    }
  }

  #forgetTree(file: string): void {
    for (const dir of [...this.#watchers.keys()]) if (dir === file || isBelow(dir, file)) this.#forget(dir);
  }

  #forget(dir: string): void {
    this.#watchers.get(dir)?.close();
    this.#watchers.delete(dir);
  }
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // As good as gone, e.g. because its directory may not be read.
    return undefined;
  }
}

function infoOf(file: string, event: 'change' | 'rename', stat: Stats | undefined): ChangeInfo {
  return {
    path: file,
    event,
    stat: stat && { size: stat.size, mtimeMs: stat.mtimeMs, mode: stat.mode },
    isDirectory: stat?.isDirectory() === true,
    isFile: stat?.isFile() === true,
    remove: stat === undefined,
  };
}

function isBelow(file: string, dir: string): boolean {
  return file.startsWith(dir.endsWith(path.sep) ? dir : dir + path.sep);
}
