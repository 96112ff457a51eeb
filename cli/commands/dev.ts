import { existsSync } from 'node:fs';
import path from 'node:path';
import { detect } from 'detect-port';
import { type ClusterHandle, startCluster } from '../../cluster/index.js';
import { parseArguments } from '../arguments.js';
import { clusterFlags, clusterHelp, clusterOptionsFrom } from '../cluster_flags.js';
import { SourceWatcher } from '../source_watcher.js';
import { typeScriptExecArgv } from '../typescript.js';
import { writeTypes } from './types.js';

const NAMES = ['port', 'workers', 'framework'] as const;

const USAGE = `clutch dev [directory] [options]

${clusterHelp(NAMES, { port: 'default 7001, or the next free one', workers: 'app workers; default 1' })}`;

/** Milliseconds in which changes are gathered before a reload. */
const SETTLE = 60;

/** Runs an app with one worker and replaces processes when their files change. */
export async function run(args: string[]): Promise<void> {
  const options = {
    ...clusterFlags(NAMES),
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, directory } = parseArguments(args, options, USAGE);
  if (values['help']) return console.log(USAGE);
  process.env['NODE_ENV'] ??= 'development';
  process.env['EGG_MASTER_CLOSE_TIMEOUT'] ??= '1000';
  const isTypeScript = existsSync(path.join(directory, 'tsconfig.json'));
  if (isTypeScript) await writeTypes(directory);
  // Stacks name the files that people read, of the app and of Clutch.
  const execArgv = [...process.execArgv, '--enable-source-maps', ...typeScriptExecArgv(directory)];
  const starting = startCluster({
    workers: 1,
    port: values['port'] === undefined ? await freePort(7001) : undefined,
    ...clusterOptionsFrom(values),
    baseDir: directory,
    execArgv,
  });
  // Watching begins with the start: an edit of a file that has just been loaded must not be missed.
  reloadOnChange(directory, starting, isTypeScript);
  await starting;
}

async function freePort(wanted: number): Promise<number> {
  const port = await detect(wanted);
  if (port !== wanted) console.warn(`port ${wanted} is used, taking ${port}`);
  return port;
}

/** Changes of these concern the Agent too. */
const OF_AGENT = /^(?:config\/|agent\.|app\/extend\/)/;

function reloadOnChange(baseDir: string, starting: Promise<ClusterHandle>, isTypeScript: boolean): void {
  let timer: NodeJS.Timeout | undefined;
  let agent = false;
  new SourceWatcher(baseDir, (file) => {
    agent ||= OF_AGENT.test(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const options = { agent };
      agent = false;
      console.log(`${file} changed`);
      // What is wrong with the new code is logged by the Master; the old processes go on.
      const reloaded = starting.then((handle) => handle.reload(options)).catch(() => undefined);
      // After the reload: what is served matters first.
      if (isTypeScript)
        void reloaded.then(() => writeTypes(baseDir)).catch((error: Error) => console.error(error.message));
    }, SETTLE);
  });
}
