import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { readPackageIfExists } from '../../resolve/package.js';
import { nearMisses } from './near_miss.js';
import { usableProcessors } from './processors.js';

export interface HttpsOptions {
  /** Path of the key file, or the key itself. */
  key: string | Buffer;
  /** Path of the certificate file, or the certificate itself. */
  cert: string | Buffer;
  ca?: string | Buffer;
  passphrase?: string;
}

/** What `startCluster` takes. Keys that are not named here are passed on to `new Agent()` and `new Application()`. */
export interface StartClusterOptions {
  /** The app's directory; default `process.cwd()`. */
  baseDir?: string;
  /** Package name or directory of the framework; default `egg.framework` of package.json, else Clutch itself. */
  framework?: string;
  /** Number of app workers; default: the processors that this process may use. */
  workers?: number | string;
  /** TCP port, 0 for a free one; default `config.cluster.listen.port` (7001), 8443 with `https`. */
  port?: number | string;
  https?: HttpsOptions | false;
  /** One more port, with plain HTTP, for the same app; meant for a cluster with `https`. */
  debugPort?: number | string;
  /** Gives all connections of one client address to the same worker. */
  sticky?: boolean;
  /**
   * Who accepts connections: `rr` (default), the Master in turn; `shared`, whichever worker the kernel wakes;
   * `reusePort`, each worker on a socket of its own, where Node can.
   */
  scheduling?: Scheduling;
  /** The same as `scheduling: 'reusePort'`. */
  reusePort?: boolean;
  /** `process` (default), or threads of this process. */
  startMode?: 'process' | 'worker_threads';
  /** With `startMode: 'worker_threads'`: one worker for each port. */
  ports?: number[];
  /** The server env of all processes. */
  env?: string;
  /** Modules that Agent and app workers load first. */
  require?: string | string[];
  /** Written with the Master's pid, removed at the end. */
  pidFile?: string;
  /** Shown in the process list. */
  title?: string;
  /** Node options of the children; default those of this process. */
  execArgv?: string[];
  /** Milliseconds that a worker gets to answer what is in flight; default 5000. */
  killTimeout?: number | string;
  /**
   * Milliseconds that a worker gets in all to drain while its connections make progress: a response is read, an upload comes,
   * a web socket is used. Default 0: `killTimeout` is the limit.
   */
  drainTimeout?: number | string;
  /** Milliseconds of a blocked event loop after which a process is replaced; default 30000, 0 for never. */
  hangTimeout?: number | string;
  /** Resident memory in MiB from which on a worker is replaced; default 0, never. */
  maxMemory?: number | string;
  /** Requests after which a worker is replaced; default 0, never. */
  maxRequests?: number | string;
  /** Listener of the Master with `/livez`, `/readyz` and `/metrics`; host defaults to 127.0.0.1. */
  admin?: AdminOptions | false;
  [key: string]: unknown;
}

type Scheduling = 'rr' | 'shared' | 'reusePort';

export interface AdminOptions {
  port: number;
  host?: string;
}

/** The options of a cluster, checked and complete. */
export interface ClusterOptions {
  baseDir: string;
  framework?: string;
  workers: number;
  port?: number;
  https?: HttpsOptions;
  debugPort?: number;
  sticky: boolean;
  scheduling: Scheduling;
  startMode: 'process' | 'worker_threads';
  ports: number[];
  env?: string;
  require: string[];
  pidFile?: string;
  title?: string;
  execArgv?: string[];
  killTimeout: number;
  drainTimeout: number;
  hangTimeout: number;
  maxMemory: number;
  maxRequests: number;
  admin?: Required<AdminOptions>;
  [key: string]: unknown;
}

const KNOWN = [
  'baseDir',
  'framework',
  'workers',
  'port',
  'https',
  'debugPort',
  'sticky',
  'scheduling',
  'reusePort',
  'startMode',
  'ports',
  'env',
  'require',
  'pidFile',
  'title',
  'execArgv',
  'killTimeout',
  'drainTimeout',
  'hangTimeout',
  'maxMemory',
  'maxRequests',
  'admin',
  'plugins',
  'typescript',
  'mode',
];

const LONGEST = 2 ** 31 - 1;

/**
 * Checks the options of `startCluster` and fills in defaults, before anything is forked.
 *
 * @param warn gets a sentence for each key that looks like a misspelt one
 * @throws {ClutchError} ERR_CLUTCH_OPTION, ERR_CLUTCH_NOT_FOUND naming the option
 */
export function parseClusterOptions(
  given: StartClusterOptions,
  warn: (message: string) => void = () => undefined,
): ClusterOptions {
  for (const [key, near] of nearMisses(given, KNOWN)) {
    warn(`option ${key} is not known to the cluster and passed on to the app; do you mean ${near}?`);
  }
  const { reusePort, ...rest } = given;
  const baseDir = checkBaseDir(given.baseDir ?? process.cwd());
  const https = given.https ? checkHttps(given.https) : undefined;
  const startMode = oneOf('startMode', given.startMode ?? 'process', ['process', 'worker_threads']);
  const ports = checkPorts(given.ports);
  const sticky = boolean('sticky', given.sticky) ?? false;
  const wanted = boolean('reusePort', reusePort) ? 'reusePort' : (given.scheduling ?? 'rr');
  const options: ClusterOptions = {
    ...rest,
    baseDir,
    https,
    startMode,
    ports,
    sticky,
    workers: ports.length || (integer('workers', given.workers, 1, 1024) ?? usableProcessors()),
    port: integer('port', given.port, 0, 65_535) ?? (https ? 8443 : undefined),
    debugPort: integer('debugPort', given.debugPort, 0, 65_535),
    scheduling: checkScheduling(oneOf('scheduling', wanted, ['rr', 'shared', 'reusePort']), warn),
    env: text('env', given.env) ?? process.env['EGG_SERVER_ENV'],
    require: modules(given.require, baseDir),
    pidFile: text('pidFile', given.pidFile),
    killTimeout: integer('killTimeout', given.killTimeout, 1, LONGEST) ?? 5000,
    drainTimeout: integer('drainTimeout', given.drainTimeout, 0, LONGEST) ?? 0,
    hangTimeout: integer('hangTimeout', given.hangTimeout, 0, LONGEST) ?? 30_000,
    maxMemory: integer('maxMemory', given.maxMemory, 0, LONGEST) ?? 0,
    maxRequests: integer('maxRequests', given.maxRequests, 0, LONGEST) ?? 0,
    admin: given.admin ? checkAdmin(given.admin) : undefined,
  };
  checkThreads(options);
  return options;
}

/** Whether several processes may each bind the same port: Node's `reusePort`, and a kernel that spreads the load. */
export function supportsReusePort(version = process.versions.node, platform: string = process.platform): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const nodeCan = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  return nodeCan && ['linux', 'freebsd', 'sunos', 'aix'].includes(platform);
}

function checkScheduling(wanted: Scheduling, warn: (message: string) => void): Scheduling {
  if (wanted !== 'reusePort' || supportsReusePort()) return wanted;
  warn('option scheduling: reusePort needs Node 22.12 or later on Linux; falling back to rr');
  return 'rr';
}

function checkThreads({ startMode, ports, workers, scheduling, sticky, port }: ClusterOptions): void {
  if (startMode === 'process') {
    if (ports.length > 0) throw optionError('ports', ports, "It is for startMode: 'worker_threads'.");
    return;
  }
  if (sticky) throw optionError('sticky', sticky, "Connections cannot be handed to threads; use startMode: 'process'.");
  if (workers > 1 && ports.length === 0 && (scheduling !== 'reusePort' || !port)) {
    throw optionError(
      'workers',
      workers,
      "Threads share a port with scheduling: 'reusePort' and a port above 0 only; else give ports, one for each thread.",
    );
  }
}

function checkBaseDir(baseDir: unknown): string {
  if (typeof baseDir !== 'string') throw optionError('baseDir', baseDir, 'Give the directory of the app.');
  const dir = path.resolve(baseDir);
  if (readPackageIfExists(dir)) return dir;
  throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `${path.join(dir, 'package.json')} should exist`, {
    where: 'option baseDir',
    fix: 'Give the directory of an app.',
  });
}

/** @throws {ClutchError} ERR_CLUTCH_OPTION when it is no number of workers */
export function parseWorkers(given: unknown): number {
  const count = integer('workers', given, 1, 1024);
  if (count === undefined) throw optionError('workers', given, 'Give a whole number from 1 to 1024.');
  return count;
}

function integer(key: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw optionError(key, value, `Give a whole number from ${least} to ${most}.`);
}

function text(key: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw optionError(key, value, 'Give a string.');
}

function boolean(key: string, value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw optionError(key, value, 'Give true or false.');
}

function oneOf<T extends string>(key: string, value: unknown, allowed: T[]): T {
  if (allowed.includes(value as T)) return value as T;
  throw optionError(key, value, `Give one of: ${allowed.join(', ')}.`);
}

function modules(given: unknown, baseDir: string): string[] {
  return [given ?? []].flat().map((file: unknown) => {
    if (typeof file !== 'string') throw optionError('require', file, 'Give names or paths of modules.');
    return file.startsWith('.') ? path.resolve(baseDir, file) : file;
  });
}

function checkPorts(given: unknown): number[] {
  const ports = given ?? [];
  if (!Array.isArray(ports)) throw optionError('ports', ports, 'Give an array of ports.');
  return ports.map((port, index) => integer(`ports[${index}]`, port, 1, 65_535) as number);
}

function checkAdmin(admin: AdminOptions): Required<AdminOptions> {
  const port = integer('admin.port', admin.port, 0, 65_535);
  if (port === undefined) throw optionError('admin', admin, 'Give { port }.');
  return { port, host: text('admin.host', admin.host) ?? '127.0.0.1' };
}

function checkHttps(https: HttpsOptions): HttpsOptions {
  const checked = { ...https };
  for (const key of ['key', 'cert', 'ca'] as const) {
    const given: unknown = https[key];
    if (given === undefined && key === 'ca') continue;
    if (Buffer.isBuffer(given)) checked[key] = given.toString();
    else if (typeof given !== 'string')
      throw optionError(`https.${key}`, given, 'Give the path of a PEM file, or PEM.');
    else if (!isPem(given)) checkReadable(`https.${key}`, given);
  }
  return checked;
}

/** Whether a key or certificate is the PEM text itself, and not the path of its file. */
export function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

function checkReadable(key: string, file: string): void {
  try {
    readFileSync(file);
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `${file} should exist`, {
      where: `option ${key}: ${(cause as Error).message}`,
      fix: 'Correct the path.',
      cause,
    });
  }
}

function optionError(key: string, value: unknown, fix: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_OPTION', `option ${key} is ${JSON.stringify(value)}`, { fix });
}
