import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Notices that the kernel has killed a process of this control group because its memory was used up: the counter
 * `oom_kill` of `memory.events` (version 2 of control groups) or `memory.oom_control` (version 1) grows then.
 */
export class OomKills {
  readonly #file: string | undefined;
  /** What has been read until now, or is explained by a process that has ended. */
  #seen: number;
  #previous: number;

  /** @param root mount point of the file system of control groups */
  constructor(root = '/sys/fs/cgroup') {
    this.#file = counterFile(root);
    this.#seen = this.#previous = this.#read();
  }

  /** Call it once in a while: kills that nothing of ours has died of are forgotten after two calls. */
  tick(): void {
    this.#seen = Math.max(this.#seen, this.#previous);
    this.#previous = this.#read();
  }

  /** @returns whether the kernel has killed a process that no earlier call was about */
  take(): boolean {
    if (this.#read() <= this.#seen) return false;
    this.#seen += 1;
    return true;
  }

  #read(): number {
    return (this.#file === undefined ? undefined : counterIn(this.#file)) ?? 0;
  }
}

/** @returns the file with the counter of this process's group; in a container the path of the group may be that of the host */
function counterFile(root: string): string | undefined {
  for (const line of (read('/proc/self/cgroup') ?? '').trim().split('\n')) {
    const [, controllers = '', group = ''] = line.split(':');
    const [mount, name] =
      controllers === '' ? [root, 'memory.events'] : [path.join(root, 'memory'), 'memory.oom_control'];
    if (controllers !== '' && !controllers.split(',').includes('memory')) continue;
    for (const dir of [group, '']) {
      const file = path.join(mount, dir, name);
      if (counterIn(file) !== undefined) return file;
    }
  }
  return undefined;
}

function counterIn(file: string): number | undefined {
  const [, count] = /^oom_kill (\d+)$/m.exec(read(file) ?? '') ?? [];
  return count === undefined ? undefined : Number(count);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
