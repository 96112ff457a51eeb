import { readMemoryGroup } from '../options/control_group.js';

/**
 * Notices that the kernel has killed a process of this control group because its memory was used up: the counter
 * `oom_kill` of `memory.events` (version 2 of control groups) or `memory.oom_control` (version 1) grows then.
 */
export class OomKills {
  readonly #root: string;
  /** What has been read until now, or is explained by a process that has ended. */
  #seen: number;
  #previous: number;

  /** @param root mount point of the file system of control groups */
  constructor(root = '/sys/fs/cgroup') {
    this.#root = root;
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
    const text = readMemoryGroup(this.#root, { v2: 'memory.events', v1: 'memory.oom_control' });
    const [, count] = /^oom_kill (\d+)$/m.exec(text ?? '') ?? [];
    return Number(count ?? 0);
  }
}
