import { type StartClusterOptions, startCluster } from '../../cluster/index.js';
import { ClutchError } from '../../errors.js';
import { readPackage } from '../../resolve/package.js';
import { type Arguments, parseArguments } from '../arguments.js';
import { startDaemon } from '../daemon.js';
import { becomeInit } from '../init_process.js';
import { pidFileOf, runningMaster } from '../running.js';

const USAGE = `clutch start [directory] [options]

  -p, --port <port>          default: environment variable PORT, else config.cluster.listen.port (7001)
  -c, --workers <count>      default: the number of processors that may be used
      --env <env>            the server env; default: config/env, EGG_SERVER_ENV, else prod
      --title <title>        name in the process list; default clutch-server
      --framework <name>     default egg.framework of package.json, else Clutch
      --require <module>     loaded first in Agent and app workers; may be repeated
      --sticky               the same worker for all connections of a client address
      --scheduling <policy>  rr, shared or reusePort; default rr
      --kill-timeout <ms>    for answering what is in flight; default 5000
      --hang-timeout <ms>    of a blocked event loop until a process is replaced; default 30000, 0 for never
      --max-memory <MiB>     from which on a worker is replaced; default never
      --max-requests <n>     after which a worker is replaced; default never
      --admin-port <port>    /livez, /readyz and /metrics; default none
      --admin-host <host>    default 127.0.0.1
      --daemon               run in the background; returns when the app answers
      --stdout <file>        with --daemon; default ~/logs/master-stdout.log
      --stderr <file>        with --daemon; default ~/logs/master-stderr.log
      --timeout <ms>         with --daemon: how long the start may take; default 300000

What is not given is taken from eggScriptsConfig in package.json, by the same names.`;

const OPTIONS = {
  port: { type: 'string', short: 'p' },
  workers: { type: 'string', short: 'c' },
  env: { type: 'string' },
  title: { type: 'string' },
  framework: { type: 'string' },
  require: { type: 'string', multiple: true },
  sticky: { type: 'boolean' },
  scheduling: { type: 'string' },
  'kill-timeout': { type: 'string' },
  'hang-timeout': { type: 'string' },
  'max-memory': { type: 'string' },
  'max-requests': { type: 'string' },
  'admin-port': { type: 'string' },
  'admin-host': { type: 'string' },
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
  const admin =
    values['admin-port'] === undefined ? undefined : { port: values['admin-port'], host: values['admin-host'] };
  await startCluster({
    baseDir: directory,
    port,
    workers,
    env,
    title,
    admin,
    framework: values['framework'],
    require: values['require'],
    sticky: values['sticky'],
    scheduling: values['scheduling'],
    killTimeout: values['kill-timeout'],
    hangTimeout: values['hang-timeout'],
    maxMemory: values['max-memory'],
    maxRequests: values['max-requests'],
    pidFile: pidFileOf(directory),
  } as StartClusterOptions);
}
