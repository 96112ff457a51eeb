import { existsSync } from 'node:fs';
import path from 'node:path';
import { detect } from 'detect-port';
import { type ClusterHandle, inspectApp, startCluster } from '../../../cluster/index.js';
import { clusterFlags, clusterOptionsFrom } from '../../cluster_flags.js';
import { defineCommand } from '../../command.js';
import { typeScriptExecArgv } from '../../process/typescript.js';
import { writeTypes } from '../app/types.js';

export const command = defineCommand({
  description: 'One app worker serves; its development plugin has processes replaced when their files change.',
  options: clusterFlags(['port', 'workers', 'framework'], {
    port: 'default: that of config.cluster.listen.port (7001), or the next free one',
    workers: 'app workers; default 1',
  }),
  examples: { dev: 'the app here', 'dev ../shop --port 8080': 'another app, on a port of its own' },
  run: ({ directory, options }) => runDev(directory, options),
});

async function runDev(directory: string, values: Record<string, unknown>): Promise<void> {
  process.env['NODE_ENV'] ??= 'development';
  process.env['EGG_MASTER_CLOSE_TIMEOUT'] ??= '1000';
  const isTypeScript = existsSync(path.join(directory, 'tsconfig.json'));
  if (isTypeScript) await writeTypes(directory);
  // Stacks name the files that people read, of the app and of Clutch.
  const execArgv = [...process.execArgv, '--enable-source-maps', ...typeScriptExecArgv(directory)];
  const handle = await startCluster({
    workers: 1,
    port: values['port'] === undefined ? await freePort(await configuredPort(directory, execArgv)) : undefined,
    ...clusterOptionsFrom(values),
    baseDir: directory,
    execArgv,
  });
  reportChanges(handle, directory, isTypeScript);
}

/** @returns the port of the app's own config, which needs the app to be loaded once */
async function configuredPort(baseDir: string, execArgv: string[]): Promise<number> {
  try {
    const [explained] = (await inspectApp({ baseDir, execArgv, topic: 'config', key: 'cluster.listen.port' })) as {
      value?: unknown;
    }[];
    return typeof explained?.value === 'number' && explained.value > 0 ? explained.value : 7001;
  } catch {
    // Why it does not load is reported by the boot.
    return 7001;
  }
}

async function freePort(wanted: number): Promise<number> {
  const port = await detect(wanted);
  if (port !== wanted) console.warn(`port ${wanted} is used, taking ${port}`);
  return port;
}

/** Reports what the development plugin has found, and writes types anew once the new code is served. */
function reportChanges({ messenger }: ClusterHandle, baseDir: string, isTypeScript: boolean): void {
  messenger.on('reload-worker', (data?: { files?: string[] }) => {
    for (const file of data?.files ?? []) console.log(`${path.relative(baseDir, file)} changed`);
  });
  if (!isTypeScript) return;
  messenger.on('clutch:reloaded', () => {
    writeTypes(baseDir).catch((error: Error) => console.error(error.message));
  });
}
