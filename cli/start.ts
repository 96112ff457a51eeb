import { startCluster } from '../cluster/index.js';
import { ClutchError } from '../errors.js';
import { type Arguments, parseArguments } from './arguments.js';
import { startDaemon } from './daemon.js';
import { pidFileOf, runningMaster } from './running.js';

const USAGE = `clutch start [directory] [options]

  -p, --port <port>        default: environment variable PORT, else config.cluster.listen.port (7001)
  -c, --workers <count>    default: the number of processors
      --env <env>          the server env; default: config/env, EGG_SERVER_ENV, else prod
      --title <title>      name in the process list; default clutch-server
      --framework <name>   default egg.framework of package.json, else Clutch
      --daemon             run in the background; returns when the app answers
      --stdout <file>      with --daemon; default ~/logs/master-stdout.log
      --stderr <file>      with --daemon; default ~/logs/master-stderr.log
      --timeout <ms>       with --daemon: how long the start may take; default 300000`;

/** Runs an app in production, in the foreground or as a daemon. */
export async function run(args: string[]): Promise<void> {
  const options = {
    port: { type: 'string', short: 'p' },
    workers: { type: 'string', short: 'c' },
    env: { type: 'string' },
    title: { type: 'string' },
    framework: { type: 'string' },
    daemon: { type: 'boolean' },
    stdout: { type: 'string' },
    stderr: { type: 'string' },
    timeout: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, directory } = parseArguments(args, options, USAGE);
  if (values['help']) return console.log(USAGE);
  const running = runningMaster(directory);
  if (running !== undefined) {
    throw new ClutchError('ERR_CLUTCH_CLI', `this app is running already, pid ${running}`, {
      where: directory,
      fix: 'Stop it with `clutch stop`.',
    });
  }
  process.env['NODE_ENV'] ??= 'production';
  if (values['daemon'])
    await startDaemon(
      directory,
      args.filter((argument) => argument !== '--daemon'),
      values,
    );
  else await startForeground(directory, values);
}

async function startForeground(directory: string, values: Arguments['values']): Promise<void> {
  const {
    port = process.env['PORT'],
    workers = process.env['EGG_WORKERS'],
    env,
    framework,
    title,
  } = values as Record<string, string>;
  if (env) process.env['EGG_SERVER_ENV'] = env;
  process.title = title ?? 'clutch-server';
  await startCluster({ baseDir: directory, port, workers, env, framework, title, pidFile: pidFileOf(directory) });
}
