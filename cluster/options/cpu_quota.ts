import { availableParallelism } from 'node:os';
import path from 'node:path';
import { readText } from './control_group.js';

/**
 * How many CPUs this process may use, by its affinity and the quota of its control group, which is what the CPU limit of
 * a container sets.
 *
 * @param root mount point of the file system of control groups
 */
export function usableCpus(root = '/sys/fs/cgroup'): number {
  const quota = cgroupQuota(root);
  const affine = availableParallelism();
  return quota === undefined ? affine : Math.max(1, Math.min(affine, Math.ceil(quota)));
}

/** @returns the CPUs that the control group allows, as a fraction; undefined without a limit */
function cgroupQuota(root: string): number | undefined {
  const groups = readText('/proc/self/cgroup')?.trim().split('\n') ?? [];
  const limits = groups.flatMap((line) => {
    const [, controllers = '', group = ''] = line.split(':');
    if (controllers === '') return ancestors(group).map((dir) => quotaOf(readText(path.join(root, dir, 'cpu.max'))));
    if (!controllers.split(',').includes('cpu')) return [];
    return ['', group].map((dir) => {
      const at = (file: string): string | undefined => readText(path.join(root, 'cpu', dir, file));
      return quotaOf(`${at('cpu.cfs_quota_us')} ${at('cpu.cfs_period_us')}`);
    });
  });
  const set = limits.filter((limit) => limit !== undefined);
  return set.length > 0 ? Math.min(...set) : undefined;
}

/** In a container the path may be that of the host; the last ancestor, the root, always exists. */
function ancestors(group: string): string[] {
  const parts = group.split('/').filter(Boolean);
  return Array.from({ length: parts.length + 1 }, (_, index) => parts.slice(0, parts.length - index).join('/'));
}

/** @param text quota and period in microseconds; `max` or -1 means no limit */
export function quotaOf(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? '').trim().split(/\s+/).map(Number);
  return quota && period && quota > 0 && period > 0 ? quota / period : undefined;
}
