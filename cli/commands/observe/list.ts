import { askMaster, type ClusterStatus } from '../../../cluster/index.js';
import { dateTime } from '../../../output/timestamp.js';
import { shortPath } from '../../../resolve/short_path.js';
import { defineCommand } from '../../command.js';
import { type RunningApp, runningApps } from '../../process/registry.js';
import { table } from '../../terminal/table.js';

interface ListedApp extends RunningApp {
  /** Undefined if its Master does not reply. */
  state: string | undefined;
  address: string | undefined;
  workers: number | undefined;
}

export const command = defineCommand({
  description: 'Those that `clutch start` of this user runs; the directory is of no interest here.',
  examples: { list: 'all of them', 'list --json': 'for programs' },
  run: () => Promise.all(runningApps().map(describe)),
  print: (apps) =>
    apps.length === 0
      ? 'no app of Clutch is running'
      : table([
          ['app', 'pid', 'state', 'address', 'workers', 'started'],
          ...apps.map(({ directory, pid, state = 'does not reply', address = '', workers = '', startedAt }) => [
            shortPath(directory, process.cwd()) || '.',
            String(pid),
            state,
            address,
            String(workers),
            dateTime(startedAt),
          ]),
        ]),
});

async function describe(app: RunningApp): Promise<ListedApp> {
  try {
    const { state, address, workers } = (await askMaster(app.directory, { command: 'status' })) as ClusterStatus;
    return { ...app, state, address, workers };
  } catch {
    return { ...app, state: undefined, address: undefined, workers: undefined };
  }
}
