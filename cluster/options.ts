import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { ClutchError } from '../errors.js';

export interface HttpsOptions {
  /** Path of the key file. */
  key: string;
  /** Path of the certificate file. */
  cert: string;
  ca?: string;
  passphrase?: string;
}

export interface ClusterOptions {
  /** The app's directory; default `process.cwd()`. */
  baseDir: string;
  /** Package name or directory of the framework; default `egg.framework` of package.json, else Clutch itself. */
  framework?: string;
  /** Number of app workers; default: the processors this process may use. */
  workers: number;
  /** TCP port; default `config.cluster.listen.port` (7001), 8443 with `https`. */
  port?: number;
  https?: HttpsOptions;
  /** The server env of all processes. */
  env?: string;
  /** Modules that Agent and app workers load first. */
  require: string[];
  /** Written with the Master's pid, removed at the end. */
  pidFile?: string;
  /** Shown in the process list. */
  title?: string;
  /** Node options of the children; default those of this process. */
  execArgv?: string[];
  /** Passed on to Agent and Application. */
  [key: string]: unknown;
}

/** What `startCluster` takes; see ClusterOptions. */
export interface StartClusterOptions {
  baseDir?: string;
  framework?: string;
  workers?: number | string;
  port?: number | string;
  https?: HttpsOptions;
  env?: string;
  require?: string | string[];
  pidFile?: string;
  title?: string;
  execArgv?: string[];
  [key: string]: unknown;
}

/**
 * Checks the options of `startCluster` and fills in defaults, before anything is forked.
 *
 * @throws {ClutchError} ERR_CLUTCH_OPTION, ERR_CLUTCH_NOT_FOUND naming the option
 */
export function parseClusterOptions(given: StartClusterOptions): ClusterOptions {
  const { framework, https, port, workers, require, ...rest } = given;
  const baseDir = checkBaseDir(given.baseDir ?? process.cwd());
  return {
    ...rest,
    baseDir,
    framework,
    workers: integer('workers', workers, 1) ?? availableParallelism(),
    port: integer('port', port, 0) ?? (https ? 8443 : undefined),
    https: https && checkHttps(https),
    env: given.env ?? process.env['EGG_SERVER_ENV'],
    require: [require ?? []].flat().map((file) => (file.startsWith('.') ? path.resolve(baseDir, file) : file)),
  };
}

function checkBaseDir(baseDir: unknown): string {
  if (typeof baseDir !== 'string') throw optionError('baseDir', baseDir, 'Give the directory of the app.');
  const dir = path.resolve(baseDir);
  if (statSync(path.join(dir, 'package.json'), { throwIfNoEntry: false })?.isFile()) return dir;
  throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `${path.join(dir, 'package.json')} should exist`, {
    where: 'option baseDir',
    fix: 'Give the directory of an app.',
  });
}

function integer(key: string, value: number | string | undefined | null, least: number): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= 65_535) return number;
  throw optionError(key, value, `Give a whole number from ${least} to 65535.`);
}

function checkHttps(https: HttpsOptions): HttpsOptions {
  for (const key of ['key', 'cert', 'ca'] as const) {
    const file: unknown = https[key];
    if (file === undefined && key === 'ca') continue;
    if (typeof file !== 'string') throw optionError(`https.${key}`, file, 'Give the path of a PEM file.');
    try {
      readFileSync(file);
    } catch (cause) {
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `${file} should exist`, {
        where: `option https.${key}: ${(cause as Error).message}`,
        fix: 'Correct the path.',
        cause,
      });
    }
  }
  return https;
}

function optionError(key: string, value: unknown, fix: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_OPTION', `option ${key} is ${JSON.stringify(value)}`, { fix });
}
