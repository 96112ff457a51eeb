import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

/**
 * How many processors this process may really use: its CPU affinity, and the quota of its control group, which is
 * what a container's CPU limit sets.
 *
 * @param root where the file system of control groups is mounted
 */
export function usableProcessors(root = '/sys/fs/cgroup'): number {
  const quota = cgroupQuota(root);
  const affine = availableParallelism();
  return quota === undefined ? affine : Math.max(1, Math.min(affine, Math.ceil(quota)));
}

/** @returns processors that the control group allows, as a fraction; undefined where there is no limit */
function cgroupQuota(root: string): number | undefined {
  const groups = read('/proc/self/cgroup')?.trim().split('\n') ?? [];
  const limits = groups.flatMap((line) => {
    const [, controllers = '', group = ''] = line.split(':');
    if (controllers === '') return ancestors(group).map((dir) => quotaOf(read(path.join(root, dir, 'cpu.max'))));
    if (!controllers.split(',').includes('cpu')) return [];
    return ['', group].map((dir) => {
      const at = (file: string): string | undefined => read(path.join(root, 'cpu', dir, file));
      return quotaOf(`${at('cpu.cfs_quota_us')} ${at('cpu.cfs_period_us')}`);
    });
  });
  const set = limits.filter((limit) => limit !== undefined);
  return set.length > 0 ? Math.min(...set) : undefined;
}

/** Inside a container the path may be that of the host; its root, the last one, is always there. */
function ancestors(group: string): string[] {
  const parts = group.split('/').filter(Boolean);
  return Array.from({ length: parts.length + 1 }, (_, index) => parts.slice(0, parts.length - index).join('/'));
}

/** @param text quota and period in microseconds; `max` or -1 means no limit */
export function quotaOf(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? '').trim().split(/\s+/).map(Number);
  return quota && period && quota > 0 && period > 0 ? quota / period : undefined;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
