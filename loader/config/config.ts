import { createRequire } from 'node:module';
import path from 'node:path';
import { debuglog } from 'node:util';
import { ClutchError, toError } from '../../errors.js';
import type { AppInfo } from '../app_info.js';
import { isClass } from '../files/export_kind.js';
import { toAsyncFunction } from '../files/generators.js';
import { loadIfExists } from '../files/module_loader.js';
import { type ConfigObject, isPlainObject, type LoadUnit } from '../load_unit.js';
import { AsyncConfigError, callOrDefer, type PendingConfig, type ResolvedConfig } from './async_config.js';

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
  /** Results of async config functions, which have been awaited before. */
  resolved?: ResolvedConfig | undefined;
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
 * @throws {ClutchError} ERR_CLUTCH_CONFIG with the file and the key at fault; ERR_CLUTCH_CONFIG_ASYNC with the async functions
 *   that have no result in `resolved`
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { names, units, warn } = sources;
  const config: ConfigObject = {};
  const meta: ConfigObject = {};
  const provenance = new ConfigProvenance();
  const merge = (file: string, value: ConfigObject): void => {
    if (log.enabled) log('config of %s: %s', file, Object.keys(value).join(', '));
    mergeConfig(config, value);
    writeMeta(meta, value, file);
    provenance.record(file, value);
  };

  const appConfig = preloadAppConfig(sources);
  const reader = new ConfigReader(sources, warn);
  for (const name of names) {
    for (const unit of units) {
      const loaded = reader.read(unit, name, unit.type === 'app' ? undefined : appConfig);
      if (loaded) merge(loaded.file, loaded.config);
    }
  }
  reader.refuseAsync(appConfig);
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
function preloadAppConfig(sources: ConfigSources): ConfigObject {
  const { appInfo } = sources;
  // What there is to warn about is warned about when the files are read again.
  const reader = new ConfigReader(sources, () => undefined);
  const unit: LoadUnit = { path: appInfo.baseDir, type: 'app' };
  const target: ConfigObject = {};
  for (const name of ['config.default', `config.${appInfo.env}`]) {
    const loaded = reader.read(unit, name, undefined);
    if (loaded) mergeConfig(target, loaded.config);
  }
  reader.refuseAsync(target);
  return target;
}

/** Reads config files, and collects the async functions among them. */
class ConfigReader {
  readonly #appInfo: AppInfo;
  readonly #resolved: ResolvedConfig | undefined;
  readonly #warn: (message: string) => void;
  readonly #async: PendingConfig['functions'] = [];

  constructor({ appInfo, resolved }: ConfigSources, warn: (message: string) => void) {
    this.#appInfo = appInfo;
    this.#resolved = resolved;
    this.#warn = warn;
  }

  read(unit: LoadUnit, name: string, appConfig: ConfigObject | undefined) {
    const dir = path.join(unit.path, 'config');
    const loaded =
      loadIfExists(path.join(dir, name)) ?? (name === 'config.default' ? loadIfExists(path.join(dir, 'config')) : null);
    if (!loaded) return null;
    const { file, exports } = loaded;
    const isFunction = typeof exports === 'function' && !isClass(exports);
    const value = isFunction ? this.#call(exports as ConfigFunction, file, appConfig) : exports;
    if (value === null || value === undefined) return null;
    return { file, config: checkConfig(unit, file, value) };
  }

  #call(exported: ConfigFunction, file: string, appConfig: ConfigObject | undefined): unknown {
    const make = toAsyncFunction(exported);
    const awaited = this.#resolved?.get(file);
    if (!awaited) {
      const call = (): unknown => callConfigFunction(make, file, this.#appInfo, appConfig);
      return callOrDefer(make, call, (deferred) => {
        this.#async.push([file, deferred]);
      });
    }
    if (awaited.warning) this.#warn(awaited.warning);
    return awaited.value;
  }

  /**
   * @param appConfig the app's config, as far as it is known
   * @throws {ClutchError} ERR_CLUTCH_CONFIG_ASYNC if async functions have been met
   */
  refuseAsync({ rundir }: ConfigObject): void {
    if (this.#async.length === 0) return;
    throw new AsyncConfigError({
      appInfo: this.#appInfo,
      rundir: typeof rundir === 'string' ? rundir : path.join(this.#appInfo.baseDir, 'run'),
      functions: this.#async,
    });
  }
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
