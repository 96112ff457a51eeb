import { createRequire } from 'node:module';
import path from 'node:path';
import { debuglog } from 'node:util';
import { ClutchError, toError } from '../../errors.js';
import type { AppInfo } from '../app_info.js';
import { callSynchronously, isClass } from '../files/export_kind.js';
import { loadIfExists } from '../files/module_loader.js';
import { type ConfigObject, isPlainObject, type LoadUnit } from '../load_unit.js';

const log = debuglog('clutch:loader');

// CommonJS is loaded with require: importing it takes Node several times as long.
const { extend } = createRequire(import.meta.url)('extend2') as typeof import('extend2');

/** One file that set a config leaf, with the value that it set. */
export interface ConfigSource {
  file: string;
  value: unknown;
}

interface ConfigSources {
  appInfo: AppInfo;
  /** Names of the files in merge order, such as `config.default`. */
  names: string[];
  units: LoadUnit[];
  warn(message: string): void;
}

export interface LoadedConfig {
  config: ConfigObject;
  /** Same shape as the config; a leaf names the file that set it last. */
  meta: ConfigObject;
  provenance: ConfigProvenance;
}

function isBranch(value: unknown): value is ConfigObject {
  return isPlainObject(value) && Object.keys(value).length > 0;
}

/** Remembers for each config leaf the files that set it, in merge order. */
export class ConfigProvenance {
  #sources = new Map<string, ConfigSource[]>();

  record(file: string, value: unknown, keys: readonly string[] = []): void {
    if (isBranch(value)) {
      for (const [key, child] of Object.entries(value)) {
        if (key !== '__proto__' && child !== undefined) this.record(file, child, [...keys, key]);
      }
      return;
    }
    const key = keys.join('.');
    const known = this.#sources.get(key);
    if (known) known.push({ file, value });
    else this.#sources.set(key, [{ file, value }]);
  }

  /** @returns the files that set `key` or something below it, by leaf key, in merge order */
  explain(key: string): Map<string, ConfigSource[]> {
    const below = `${key}.`;
    return new Map([...this.#sources].filter(([leaf]) => key === '' || leaf === key || leaf.startsWith(below)));
  }
}

function writeMeta(meta: ConfigObject, value: ConfigObject, file: string): void {
  for (const [key, child] of Object.entries(value)) {
    if (key === '__proto__' || child === undefined) continue;
    if (isBranch(child)) {
      const below = isPlainObject(meta[key]) ? (meta[key] as ConfigObject) : {};
      meta[key] = below;
      writeMeta(below, child, file);
    } else {
      meta[key] = file;
    }
  }
}

/** Merges `source` into `target`: plain objects are merged deeply, other values replace, `undefined` is skipped. */
function mergeConfig(target: ConfigObject, source: ConfigObject): ConfigObject {
  return extend(true, target, source) as ConfigObject;
}

/**
 * Loads and merges the config of all load units: per type file (default, scope, env, scope_env) plugins, then
 * frameworks, then the app; `EGG_APP_CONFIG` (JSON) last.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG with the file and the key at fault
 */
export function loadConfig({ appInfo, names, units, warn }: ConfigSources): LoadedConfig {
  const config: ConfigObject = {};
  const meta: ConfigObject = {};
  const provenance = new ConfigProvenance();
  const merge = (file: string, value: ConfigObject): void => {
    if (log.enabled) log('config of %s: %s', file, Object.keys(value).join(', '));
    mergeConfig(config, value);
    writeMeta(meta, value, file);
    provenance.record(file, value);
  };

  const appConfig = preloadAppConfig(appInfo);
  for (const name of names) {
    for (const unit of units) {
      const loaded = loadConfigFile(unit, name, appInfo, unit.type === 'app' ? undefined : appConfig);
      if (loaded) merge(loaded.file, loaded.config);
    }
  }
  const fromEnv = readEnvConfig(warn);
  if (fromEnv) merge('<process.env.EGG_APP_CONFIG>', fromEnv);

  const core = listOf(config, 'coreMiddleware');
  config['coreMiddleware'] = config['coreMiddlewares'] = core;
  const app = listOf(config, 'middleware');
  config['middleware'] = config['appMiddleware'] = config['appMiddlewares'] = app;
  return { config, meta, provenance };
}

function listOf(config: ConfigObject, key: string): string[] {
  const value = config[key] ?? [];
  if (Array.isArray(value)) return value as string[];
  throw new ClutchError('ERR_CLUTCH_CONFIG', `config.${key} is ${typeof value}`, { fix: 'Give an array of names.' });
}

/** The app's own default and env config, which config functions of plugins and frameworks get as second argument. */
function preloadAppConfig(appInfo: AppInfo): ConfigObject {
  const unit: LoadUnit = { path: appInfo.baseDir, type: 'app' };
  const target: ConfigObject = {};
  for (const name of ['config.default', `config.${appInfo.env}`]) {
    const loaded = loadConfigFile(unit, name, appInfo, undefined);
    if (loaded) mergeConfig(target, loaded.config);
  }
  return target;
}

function loadConfigFile(unit: LoadUnit, name: string, appInfo: AppInfo, appConfig: ConfigObject | undefined) {
  const dir = path.join(unit.path, 'config');
  const loaded =
    loadIfExists(path.join(dir, name)) ?? (name === 'config.default' ? loadIfExists(path.join(dir, 'config')) : null);
  if (!loaded) return null;
  const { file } = loaded;
  let value: unknown = loaded.exports;
  if (typeof value === 'function' && !isClass(value)) {
    const make = value as ConfigFunction;
    value = callSynchronously(
      make,
      () => callConfigFunction(make, file, appInfo, appConfig),
      () =>
        new ClutchError('ERR_CLUTCH_CONFIG', `the function of ${file} is async`, {
          fix: 'Config is loaded synchronously; fetch remote values in didLoad.',
        }),
    );
  }
  if (value === null || value === undefined) return null;
  return { file, config: checkConfig(unit, file, value) };
}

type ConfigFunction = (appInfo: AppInfo, appConfig?: ConfigObject) => unknown;

function callConfigFunction(
  make: ConfigFunction,
  file: string,
  appInfo: AppInfo,
  appConfig: ConfigObject | undefined,
): unknown {
  try {
    return make(appInfo, appConfig);
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `the function of ${file} threw: ${toError(cause).message}`, {
      fix: 'It is called with (appInfo, appConfig); appConfig is undefined in the app itself.',
      cause,
    });
  }
}

function checkConfig(unit: LoadUnit, file: string, value: unknown): ConfigObject {
  if ((typeof value !== 'object' && typeof value !== 'function') || Array.isArray(value)) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `${file} gives ${Array.isArray(value) ? 'an array' : typeof value}`, {
      fix: 'Export an object, or a function that returns one.',
    });
  }
  const config = value as ConfigObject;
  if (unit.type !== 'framework' && config['coreMiddleware']) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', 'Can not define coreMiddleware in app or plugin', {
      where: file,
      fix: 'Use "middleware" in the app; a plugin inserts into config.coreMiddleware in configWillLoad.',
    });
  }
  if (unit.type !== 'app' && config['middleware']) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `Can not define middleware in ${file}`, {
      fix: 'Only the app lists middleware; insert into config.appMiddleware in configWillLoad instead.',
    });
  }
  return config;
}

function readEnvConfig(warn: (message: string) => void): ConfigObject | null {
  const json = process.env['EGG_APP_CONFIG'];
  if (!json) return null;
  try {
    const value: unknown = JSON.parse(json);
    if (isPlainObject(value)) return value;
    warn('EGG_APP_CONFIG is not a JSON object and is ignored');
  } catch (error) {
    warn(`EGG_APP_CONFIG is not valid JSON and is ignored: ${(error as Error).message}`);
  }
  return null;
}
