import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import path from 'node:path';

/** Directories that a save does not concern. */
const IGNORED = new Set(['node_modules', 'logs', 'run', 'typings', 'dist', 'coverage', 'public']);
/** Milliseconds in which the events of one save come. */
const SETTLE = 50;

/** @returns the path that was saved, once something of an app is */
export function nextSave(directory: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const watchers: FSWatcher[] = [];
    const saved = new Set<string>();
    let timer: NodeJS.Timeout | undefined;
    const close = (): void => {
      for (const watcher of watchers) watcher.close();
      clearTimeout(timer);
    };
    const onChange = (below: string, name: string | null): void => {
      const file = path.join(below, name ?? '');
      if (isIgnored(file.split(path.sep)[0] ?? '')) return;
      saved.add(file);
      timer ??= setTimeout(() => {
        close();
        // Editors write files of their own beside it, and rename them.
        resolve([...saved].find((each) => existsSync(path.join(directory, each))) ?? file);
      }, SETTLE);
    };
    watchers.push(watch(directory, (_, name) => onChange('', name)));
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isDirectory() || isIgnored(entry.name)) continue;
      watchers.push(
        watch(path.join(directory, entry.name), { recursive: true }, (_, name) => onChange(entry.name, name)),
      );
    }
    for (const watcher of watchers) watcher.on('error', () => watcher.close());
    signal.addEventListener('abort', close, { once: true });
  });
}

function isIgnored(name: string): boolean {
  return name.startsWith('.') || IGNORED.has(name);
}
