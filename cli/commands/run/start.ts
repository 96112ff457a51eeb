import { startCluster, UPGRADE } from '../../../cluster/index.js';
import { ClutchError } from '../../../errors.js';
import { readPackage } from '../../../resolve/package.js';
import { defineCommand } from '../../command.js';
import { clusterFlags, clusterOptionsFrom } from '../../flags/cluster_flags.js';
import { startDaemon } from '../../process/daemon.js';
import { becomeInit } from '../../process/init_process.js';
import { register } from '../../process/registry.js';
import { pidFileOf, reachableMaster, runningMaster } from '../../process/running.js';

export const command = defineCommand({
  description: 'Flags that are not given are taken from eggScriptsConfig in package.json, by the same names.',
  options: {
    ...clusterFlags(),
    'node-options': { argument: 'options', help: 'of Agent and app workers, e.g. "--max-old-space-size=512"' },
    daemon: { help: 'run in the background; returns when the app is ready' },
    stdout: { argument: 'file', help: 'with --daemon; default ~/logs/<name>/master-stdout.log' },
    stderr: { argument: 'file', help: 'with --daemon; default ~/logs/<name>/master-stderr.log' },
    timeout: { argument: 'ms', help: 'with --daemon: how long the start may take; default 300000' },
    'ignore-stderr': { help: 'no effect; accepted because scripts for egg-scripts give it' },
  },
  examples: {
    start: 'in the foreground, one worker for each usable CPU',
    'start --daemon --port 8080 --workers 4': 'in the background; returns when the app is ready',
  },
  async run({ directory, options, typed }) {
    const values = { ...scriptsConfig(directory), ...options };
    // `clutch upgrade` starts this process beside the Master that it replaces.
    const isUpgrade = process.env[UPGRADE] !== undefined;
    const running = isUpgrade ? undefined : ((await runningMaster(directory)) ?? (await reachableMaster(directory)));
    if (running !== undefined) {
      throw new ClutchError('ERR_CLUTCH_RUNNING', `this app is running already, pid ${running}`, {
        where: directory,
        fix: 'Stop it with `clutch stop`, or give it new code with `clutch reload`.',
      });
    }
    becomeInit();
    process.env['NODE_ENV'] ??= 'production';
    if (values['daemon'] && process.env[DAEMON] === undefined && !isUpgrade) {
      await startDaemon(directory, typed, values, { [DAEMON]: '1' });
    } else {
      await startForeground(directory, values, typed);
    }
  },
});

type Values = Record<string, unknown>;

/** Set in the process that is the daemon. */
const DAEMON = 'CLUTCH_DAEMON';

/** Flags that package.json gives, as egg-scripts reads them. */
function scriptsConfig(directory: string): Values {
  try {
    return (readPackage(directory)['eggScriptsConfig'] as Values | undefined) ?? {};
  } catch {
    // What is wrong with the file is told by startCluster.
    return {};
  }
}

async function startForeground(directory: string, values: Values, typed: readonly string[]): Promise<void> {
  delete process.env[DAEMON];
  const { env, title = 'clutch-server', port = process.env['PORT'], workers = process.env['EGG_WORKERS'] } = values;
  if (env) process.env['EGG_SERVER_ENV'] = String(env);
  process.title = String(title);
  const nodeOptions = String(values['node-options'] ?? '')
    .split(/\s+/)
    .filter(Boolean);
  await startCluster({
    ...clusterOptionsFrom({ ...values, title, port, workers }),
    ...(nodeOptions.length > 0 ? { execArgv: [...process.execArgv, ...nodeOptions] } : {}),
    baseDir: directory,
    pidFile: pidFileOf(directory),
  });
  register({ directory, args: typed, cwd: process.cwd() });
}
