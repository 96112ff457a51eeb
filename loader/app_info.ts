import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { ClutchError } from '../errors.js';
import type { PackageJson } from '../resolve/package.js';

/** What config functions get as their first argument. */
export interface AppInfo {
  /** `name` of the app's package.json. */
  name: string;
  baseDir: string;
  /** The server env: `local`, `unittest`, `prod`, … */
  env: string;
  /** The server scope, `''` when there is none. */
  scope: string;
  HOME: string;
  /** `baseDir` in `local` and `unittest`, else `HOME`; logs are written below it. */
  root: string;
  pkg: PackageJson & { name: string };
}

/**
 * Resolves the server env: `env` option, then the file `config/env`, then `EGG_SERVER_ENV`, then `NODE_ENV`.
 *
 * @returns the trimmed env; `local` if none is set
 */
export function resolveServerEnv(baseDir: string, option?: string): string {
  return (option || readEnvFile(baseDir) || process.env['EGG_SERVER_ENV'] || envOfNode()).trim();
}

function readEnvFile(baseDir: string): string {
  try {
    return readFileSync(path.join(baseDir, 'config/env'), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function envOfNode(): string {
  if (process.env['NODE_ENV'] === 'test') return 'unittest';
  return process.env['NODE_ENV'] === 'production' ? 'prod' : 'local';
}

/** @throws {ClutchError} ERR_CLUTCH_PACKAGE without a package name */
export function appName(pkg: PackageJson, baseDir: string): string {
  if (pkg.name) return pkg.name;
  throw new ClutchError('ERR_CLUTCH_PACKAGE', `name is required from ${path.join(baseDir, 'package.json')}`, {
    fix: 'Add a "name"; logs, cookies and the title of the process use it.',
  });
}

/** @returns `EGG_HOME`, else `MOCK_HOME_DIR`, which test kits set, else the home directory of the user */
export function homeDirectory(): string {
  return process.env['EGG_HOME'] || process.env['MOCK_HOME_DIR'] || homedir() || '/home/admin';
}

/** @returns the base names of the files of one kind in merge order, e.g. `config.default`, `config.prod` */
export function typeFiles(kind: string, { env, scope }: Pick<AppInfo, 'env' | 'scope'>): string[] {
  const names = ['default'];
  if (scope) names.push(scope);
  if (env !== 'default') {
    names.push(env);
    if (scope) names.push(`${scope}_${env}`);
  }
  return names.map((name) => `${kind}.${name}`);
}
