import { startCluster } from '../../cluster/index.js';
import { ClutchError } from '../../errors.js';
import { readPackage } from '../../resolve/package.js';
import { type Arguments, parseArguments } from '../arguments.js';
import { clusterFlags, clusterHelp, clusterOptionsFrom } from '../cluster_flags.js';
import { startDaemon } from '../daemon.js';
import { becomeInit } from '../init_process.js';
import { pidFileOf, runningMaster } from '../running.js';

const USAGE = `clutch start [directory] [options]

${clusterHelp()}
      --daemon               run in the background; returns when the app is ready
      --stdout <file>        with --daemon; default ~/logs/master-stdout.log
      --stderr <file>        with --daemon; default ~/logs/master-stderr.log
      --timeout <ms>         with --daemon: how long the start may take; default 300000

Flags that are not given are taken from eggScriptsConfig in package.json, by the same names.`;

const OPTIONS = {
  ...clusterFlags(),
  daemon: { type: 'boolean' },
  stdout: { type: 'string' },
  stderr: { type: 'string' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Runs an app in production, in the foreground or as a daemon. */
export async function run(args: string[]): Promise<void> {
  const { values: given, directory } = parseArguments(args, OPTIONS, USAGE);
  if (given['help']) return console.log(USAGE);
  const values = { ...scriptsConfig(directory), ...given };
  const running = runningMaster(directory);
  if (running !== undefined) {
    throw new ClutchError('ERR_CLUTCH_CLI', `this app is running already, pid ${running}`, {
      where: directory,
      fix: 'Stop it with `clutch stop`, or give it new code with `clutch reload`.',
    });
  }
  becomeInit();
  process.env['NODE_ENV'] ??= 'production';
  if (values['daemon'] && process.env[DAEMON] === undefined) {
    await startDaemon(directory, args, values, { [DAEMON]: '1' });
  } else {
    await startForeground(directory, values);
  }
}

/** Set in the process that is the daemon. */
const DAEMON = 'CLUTCH_DAEMON';

/** Flags that package.json gives, as egg-scripts reads them. */
function scriptsConfig(directory: string): Arguments['values'] {
  try {
    return (readPackage(directory)['eggScriptsConfig'] as Arguments['values'] | undefined) ?? {};
  } catch {
    // What is wrong with the file is told by startCluster.
    return {};
  }
}

async function startForeground(directory: string, values: Arguments['values']): Promise<void> {
  delete process.env[DAEMON];
  const { env, title = 'clutch-server', port = process.env['PORT'], workers = process.env['EGG_WORKERS'] } = values;
  if (env) process.env['EGG_SERVER_ENV'] = String(env);
  process.title = String(title);
  await startCluster({
    ...clusterOptionsFrom({ ...values, title, port, workers }),
    baseDir: directory,
    pidFile: pidFileOf(directory),
  });
}
