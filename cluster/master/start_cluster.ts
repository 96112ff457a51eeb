import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ClutchError, toError } from '../../errors.js';
import { resolveFramework } from '../../resolve/framework.js';
import { activatedSockets, InheritedSockets } from '../listen/inherited_sockets.js';
import { type ClusterOptions, parseClusterOptions, type StartClusterOptions } from '../options/options.js';
import { type Predecessor, predecessorFrom } from '../service/predecessor.js';
import type { ClusterHandle } from './handle.js';
import { createMasterLog } from './master_log.js';
import { spawnAll } from './spawn_all.js';

/** Clutch itself, for apps that name no framework. */
export const DEFAULT_FRAMEWORK = {
  name: 'clutch',
  version: undefined,
  entry: new URL('../../framework/index.js', import.meta.url).href,
};

/**
 * Starts a cluster: this process becomes the Master, which forks one Agent and the app workers. With `workers: 0` it is the only
 * process, and runs both.
 *
 * @param callback called without arguments when every process is ready, as in Egg
 * @returns the handle, once every process is ready
 * @throws {ClutchError} ERR_CLUTCH_OPTION, ERR_CLUTCH_NOT_FOUND, ERR_CLUTCH_FRAMEWORK before anything is forked;
 * a boot that fails later prints the error and ends this process with code 1
 */
export async function startCluster(options: StartClusterOptions = {}, callback?: () => void): Promise<ClusterHandle> {
  const predecessor = predecessorFrom();
  try {
    return await start(options, predecessor, callback);
  } catch (error) {
    await predecessor?.failed(error);
    throw error;
  }
}

async function start(
  options: StartClusterOptions,
  predecessor: Predecessor | undefined,
  callback: (() => void) | undefined,
): Promise<ClusterHandle> {
  const parsed = parseClusterOptions(options, (message) => createMasterLog().warn(message));
  const framework = resolveFramework(parsed) ?? DEFAULT_FRAMEWORK;
  if (parsed.telemetry) await startTelemetry(parsed.telemetry);
  const activated = activatedSockets();
  // The only TCP socket that systemd passes is the port.
  const [port, ...more] = activated.flatMap((socket) => socket.port ?? []);
  if (more.length === 0) parsed.port ??= port;
  const inherited = new InheritedSockets(predecessor?.inheritance.sockets ?? activated);
  const { pidFile } = parsed;
  const onServing = (): void => {
    if (pidFile) writePidFile(pidFile);
  };
  if (!predecessor) onServing();
  const { name, version } = framework;
  const frameworkName = version ? `${name} ${version}` : name;
  if (parsed.workers === 0) {
    const handle = await startInOneProcess(parsed, frameworkName, inherited);
    callback?.();
    return handle;
  }
  const spawned = spawnAll(parsed, framework.entry, { inherited, port: predecessor?.inheritance.port });
  // The rest of the Master is loaded while the processes start.
  const { Master } = await import('./master.js');
  const master = new Master(parsed, frameworkName, {
    ...spawned,
    inherited,
    predecessor,
    onServing,
  });
  master.start();
  await master.ready;
  callback?.();
  return master;
}

/** Reloads and deaths happen in the Master. */
async function startTelemetry(module: string): Promise<void> {
  try {
    await import(module);
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_OPTION', `the module of option telemetry has failed: ${toError(cause).message}`, {
      where: module,
      fix: 'Run it by itself with node to see where it fails.',
      cause,
    });
  }
}

async function startInOneProcess(
  options: ClusterOptions,
  frameworkName: string,
  inherited: InheritedSockets,
): Promise<ClusterHandle> {
  const { startSingle } = await import('../single/single_process.js');
  const { MasterMessenger } = await import('./master_messenger.js');
  return startSingle({
    options,
    frameworkName,
    clutch: DEFAULT_FRAMEWORK.entry,
    inherited,
    log: createMasterLog(),
    createMessenger: (routes) => new MasterMessenger(routes),
  });
}

/**
 * Writes the Master's pid to a file, which is removed when the Master exits.
 *
 * @throws {ClutchError} ERR_CLUTCH_OPTION if the file cannot be written
 */
function writePidFile(pidFile: string): void {
  try {
    mkdirSync(path.dirname(pidFile), { recursive: true });
    writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_OPTION', `the pid file cannot be written: ${toError(cause).message}`, {
      where: `option pidFile: ${pidFile}`,
      fix: 'Choose another path, or let this user write there.',
      cause,
    });
  }
  process.once('exit', () => {
    // Another Master may have taken over.
    if (readPid(pidFile) === process.pid) rmSync(pidFile, { force: true });
  });
}

function readPid(pidFile: string): number | undefined {
  try {
    return Number(readFileSync(pidFile, 'utf8'));
  } catch {
    return undefined;
  }
}
