import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @param root mount point of the file system of control groups
 * @param name of the file in version 2, and in version 1 below `memory/`
 * @returns the text of the file in this process's group; in a container the path of the group may be that of the host
 */
export function readMemoryGroup(root: string, { v2, v1 }: { v2: string; v1: string }): string | undefined {
  for (const line of (readText('/proc/self/cgroup') ?? '').trim().split('\n')) {
    const [, controllers = '', group = ''] = line.split(':');
    if (controllers !== '' && !controllers.split(',').includes('memory')) continue;
    const file = controllers === '' ? v2 : path.join('memory', v1);
    for (const dir of [group, '']) {
      const text = readText(path.join(root, path.dirname(file), dir, path.basename(file)));
      if (text !== undefined) return text;
    }
  }
  return undefined;
}

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
