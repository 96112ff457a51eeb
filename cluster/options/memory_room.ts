import { freemem, totalmem } from 'node:os';
import { readMemoryGroup } from './control_group.js';

/** Memory that the cluster may use, in bytes. */
export interface MemoryRoom {
  used: number;
  limit: number;
}

/**
 * @param root mount point of the file system of control groups
 * @returns memory of the control group, without files that the kernel can drop; of the machine if the group has no limit
 */
export function memoryRoom(root = '/sys/fs/cgroup'): MemoryRoom {
  const read = (v2: string, v1: string): string | undefined => readMemoryGroup(root, { v2, v1 });
  const limit = Number(read('memory.max', 'memory.limit_in_bytes'));
  const used = Number(read('memory.current', 'memory.usage_in_bytes'));
  const machine = totalmem();
  // Without a limit version 2 has the word `max`, and version 1 a number above any memory.
  if (!(limit < machine) || !(used > 0)) return { used: machine - freemem(), limit: machine };
  const [, files] = /^(?:total_)?inactive_file (\d+)$/m.exec(read('memory.stat', 'memory.stat') ?? '') ?? [];
  return { used: Math.max(0, used - Number(files ?? 0)), limit };
}
