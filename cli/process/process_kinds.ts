import { readDeaths } from '../../cluster/deaths/death_file.js';
import { askMaster, type ClusterStatus, type ProcessStatus } from '../../cluster/index.js';

/** @returns what the processes of an app are, and what those that have ended were, by pid */
export async function processKinds(baseDir: string): Promise<Map<number, ProcessStatus['kind']>> {
  const kinds = new Map(readDeaths(baseDir).map(({ pid, kind }) => [pid, kind]));
  for (const { pid, kind } of await runningProcesses(baseDir)) if (pid !== undefined) kinds.set(pid, kind);
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
