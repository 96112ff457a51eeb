import { cpus, totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { usableCpus } from '../../../cluster/options/cpu_quota.js';
import type { PackageJson } from '../../../resolve/package.js';
import type { Finding } from '../finding.js';

export interface ContainerFacts {
  /** CPUs of the machine. */
  cpus: number;
  /** CPUs that affinity and the quota of the control group leave. */
  usableCpus: number;
  /** Bytes that the control group, or the machine, has. */
  memory: number;
  isMemoryLimited: boolean;
  /** Bytes that the heap of one process may grow to. */
  heapLimit: number;
  /** App workers that the script `start` gives; undefined for the default, the usable CPUs. */
  workers: number | undefined;
}

/** Bytes that a worker of a small app takes. */
const WORKER_MEMORY = 100 * 1024 * 1024;
/** Processes besides app workers: Master and Agent. */
const OTHERS = 2;
const MIB = 1024 * 1024;

export function gatherContainer({ scripts }: PackageJson): ContainerFacts {
  const limit = process.constrainedMemory() ?? 0;
  const isMemoryLimited = limit > 0 && limit < totalmem();
  const { start = '' } = (scripts ?? {}) as { start?: string };
  const [, workers] = /(?:--workers|-c)[ =](\d+)/.exec(start) ?? [];
  return {
    cpus: cpus().length,
    usableCpus: usableCpus(),
    memory: isMemoryLimited ? limit : totalmem(),
    isMemoryLimited,
    heapLimit: getHeapStatistics().heap_size_limit,
    workers: workers === undefined ? undefined : Number(workers),
  };
}

export function checkContainer(facts: ContainerFacts): Finding[] {
  const { usableCpus, memory, isMemoryLimited, heapLimit, workers: given } = facts;
  const workers = given ?? usableCpus;
  const findings: Finding[] = [];
  const where = given === undefined ? 'option workers, by default the usable CPUs' : 'script "start" of package.json';
  if (workers > usableCpus) {
    findings.push({
      level: 'warning',
      what: `${workers} workers share ${usableCpus} of ${facts.cpus} CPUs`,
      where,
      fix: 'Leave --workers out: the default follows affinity and the limit of the container.',
    });
  }
  const available = `${Math.floor(memory / MIB)} MiB of memory`;
  const needed = (workers + OTHERS) * WORKER_MEMORY;
  if (needed > memory) {
    const fitting = Math.max(1, Math.floor(memory / WORKER_MEMORY) - OTHERS);
    findings.push({
      level: 'warning',
      what: `${workers} workers, Agent and Master need about ${needed / MIB} MiB, and there are ${available}`,
      where,
      fix: `clutch start --workers ${fitting}, or a container with more memory.`,
    });
  } else if (isMemoryLimited && heapLimit * (workers + 1) > memory) {
    const each = Math.floor((memory * 0.8) / (workers + 1) / MIB);
    findings.push({
      level: 'note',
      what: `the heaps of ${workers} workers and the Agent may grow to ${Math.floor(heapLimit / MIB)} MiB each, and the container has ${available}`,
      where,
      fix: `clutch start --max-memory ${each} replaces a worker before the kernel kills it.`,
    });
  }
  return findings;
}
