import { readFileSync } from 'node:fs';

const HOOK = /^(.+\.[cm]?[jt]s):(\w+)$/;

/**
 * @param task `file:hook`, as tasks of hooks are named
 * @returns `hook at file:line:column`; a task that is no hook, or one that is not found in its file, as it is
 */
export function withPosition(task: string): string {
  const [, file, hook] = HOOK.exec(task) ?? [];
  if (file === undefined || hook === undefined) return task;
  const text = read(file);
  const index = text.search(new RegExp(`(?<![\\w.$])${hook}(?=\\s*(?:\\(|=|:))`));
  if (index < 0) return task;
  const lines = text.slice(0, index).split('\n');
  return `${hook} at ${file}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
