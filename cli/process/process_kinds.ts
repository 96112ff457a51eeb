import { readDeaths } from '../../cluster/deaths/death_file.js';
import { askMaster, type ClusterStatus, type ProcessStatus } from '../../cluster/index.js';
import type { LoggingKind } from '../../cluster/logs/log_filter.js';

/** @returns what the processes of an app are, and what those that have ended were, by pid */
export async function processKinds(baseDir: string): Promise<Map<number, LoggingKind>> {
  const kinds = new Map<number, LoggingKind>();
  for (const { pid, kind } of [...readDeaths(baseDir), ...(await runningProcesses(baseDir))]) {
    // Of an app that is one process, the name of each log says what has written it.
    if (pid !== undefined && kind !== 'single') kinds.set(pid, kind);
  }
  return kinds;
}

async function runningProcesses(baseDir: string): Promise<ProcessStatus[]> {
  try {
    return ((await askMaster(baseDir, { command: 'status' })) as ClusterStatus).processes;
  } catch {
    // The logs of an app that does not run can be read, too.
    return [];
  }
}
