import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { isAsyncFunction, isClass, isGeneratorFunction } from './export_kind.js';
import { type CaseStyle, propertyNames } from './file_names.js';
import { dropShadowed, isModuleFile, loadModule, notCompiled, typeScriptMode } from './module_loader.js';

export const FULLPATH = Symbol.for('EGG_LOADER_ITEM_FULLPATH');
export const EXPORTS = Symbol.for('EGG_LOADER_ITEM_EXPORTS');

export interface FileLoaderOptions {
  /** Directories whose files become properties; one that does not exist is skipped. */
  directory: string | string[];
  /** The object to which the properties are added. */
  target: object;
  /** Globs relative to the directory; default: every module file. */
  match?: string | string[];
  /** Globs of files to skip. */
  ignore?: string | string[];
  /** How file names become property names; default `camel`. */
  caseStyle?: CaseStyle;
  /** Legacy form of `caseStyle: 'lower'`. */
  lowercaseFirst?: boolean;
  /** Maps the export of a file to the value that is attached. */
  initializer?: (exports: never, file: { path: string; pathName: string }) => unknown;
  /** Argument for exported functions. */
  inject?: unknown;
  /** Call exported plain functions with `inject`; default true. */
  call?: boolean;
  /** Let a later file replace an earlier one; default false. */
  override?: boolean;
  /** Keep only exports for which it returns true. */
  filter?: (exports: never) => boolean;
}

interface LoadedItem {
  fullpath: string;
  properties: string[];
  exports: unknown;
}

const require = createRequire(import.meta.url);

/** Loads the files of directories into properties of an object. */
export class FileLoader {
  static readonly FULLPATH = FULLPATH;
  static readonly EXPORTS = EXPORTS;
  readonly options: FileLoaderOptions;

  /** @throws {ClutchError} ERR_CLUTCH_OPTION without directory or target */
  constructor(options: FileLoaderOptions) {
    for (const key of ['directory', 'target'] as const) {
      if (!options[key]) {
        throw new ClutchError('ERR_CLUTCH_OPTION', `options.${key} is required`, { fix: `Give FileLoader a ${key}.` });
      }
    }
    this.options = options;
  }

  /**
   * @returns the target
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE, ERR_CLUTCH_FILE_NAME, ERR_CLUTCH_MODULE
   */
  load(): object {
    const { target, override } = this.options;
    for (const item of this.parse()) attach(target as Record<string, unknown>, item, override === true);
    return target;
  }

  /** @returns the files with their property names and the value that is attached for each */
  parse(): LoadedItem[] {
    const { directory, caseStyle = 'camel', lowercaseFirst, filter } = this.options;
    const items: LoadedItem[] = [];
    for (const dir of [directory].flat()) {
      const parent = path.basename(dir);
      for (const file of this.#files(dir)) {
        const fullpath = path.join(dir, file);
        const properties = propertyNames(file, lowercaseFirst ? 'lower' : caseStyle, dir);
        const pathName = `${parent}.${properties.join('.')}`;
        const exports = this.#exportsOf(fullpath, pathName);
        if (exports === null || exports === undefined) continue;
        if (filter && !filter(exports as never)) continue;
        if (isClass(exports)) Object.assign(exports.prototype, { pathName, fullPath: fullpath });
        items.push({ fullpath, properties, exports });
      }
    }
    return items;
  }

  #files(dir: string): string[] {
    const { match, ignore } = this.options;
    const ignored = [ignore ?? []].flat().filter(Boolean);
    if (match === undefined && ignored.length === 0) return walk(dir);
    // Loaded on first use: most apps use the default match, and globby is the largest dependency of the loader.
    const { globbySync } = require('globby') as typeof import('globby');
    const patterns = match === undefined ? ['**/*'] : [match].flat();
    const files = globbySync([...patterns, ...ignored.map((glob) => `!${glob}`)], { cwd: dir }).sort();
    return dropShadowed(match === undefined ? files.filter((file) => isModuleFile(file)) : files);
  }

  #exportsOf(fullpath: string, pathName: string): unknown {
    const { initializer, call = true, inject } = this.options;
    let exports = loadModule(fullpath);
    if (initializer) exports = initializer(exports as never, { path: fullpath, pathName });
    if (typeof exports !== 'function' || !call || isClass(exports)) return exports;
    if (isAsyncFunction(exports) || isGeneratorFunction(exports)) return exports;
    return (exports as (inject: unknown) => unknown)(inject);
  }
}

/** @returns module files below `dir`, whether or not this process can load them; sources win over compiled files */
export function moduleFiles(dir: string): string[] {
  const { files, sources } = scan(dir);
  const compiled = new Set(sources.map(compiledName));
  return [...sources, ...files.filter((file) => !sources.includes(file) && !compiled.has(file))].sort();
}

/** @returns module files below `dir`, relative with `/`, sorted so that the load order is the same on every machine */
function walk(dir: string): string[] {
  const { files, sources } = scan(dir);
  const uncompiled = typeScriptMode() === 'off' && sources.find((file) => !files.includes(compiledName(file)));
  if (uncompiled) throw notCompiled(path.join(dir, uncompiled));
  return dropShadowed(files);
}

/** @returns what a source file becomes: `a.mts` → `a.mjs` */
function compiledName(source: string): string {
  return source.replace(/\.([cm]?)ts$/, '.$1js');
}

function scan(dir: string): { files: string[]; sources: string[] } {
  const files: string[] = [];
  const sources: string[] = [];
  const descend = (relative: string): void => {
    let entries: import('node:fs').Dirent[];
    try {
      entries = readdirSync(path.join(dir, relative), { withFileTypes: true });
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
      throw error;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = relative ? `${relative}/${entry.name}` : entry.name;
      // Like a glob, skip names that start with a dot.
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isDirectory() || (entry.isSymbolicLink() && !path.extname(entry.name))) descend(name);
      else {
        if (isModuleFile(entry.name)) files.push(name);
        if (/(?<!\.d)\.[cm]?ts$/.test(entry.name)) sources.push(name);
      }
    }
  };
  descend('');
  return { files, sources };
}

/** Objects that stand for directories: a file of the same name may take their place, with what they hold. */
const directories = new WeakSet<object>();

function attach(target: Record<string, unknown>, item: LoadedItem, override: boolean): void {
  let node = target;
  item.properties.forEach((property, index) => {
    const last = index === item.properties.length - 1;
    const existing = Object.hasOwn(node, property) ? node[property] : undefined;
    if (!last) {
      if (!isContainer(existing)) {
        node[property] = {};
        directories.add(node[property] as object);
      }
      node = node[property] as Record<string, unknown>;
      return;
    }
    const isDirectory = isContainer(existing) && directories.has(existing);
    if (existing !== undefined && !isDirectory && !override) refuseSecond(existing, item);
    const value = item.exports;
    if (isContainer(value)) {
      markFile(value, item.fullpath);
      // `foo.js` keeps what `foo/bar.js` has already put below it.
      if (isDirectory) Object.assign(value, existing);
    }
    node[property] = value;
  });
}

function isContainer(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** @throws {ClutchError} ERR_CLUTCH_DUPLICATE unless the same file is loaded again */
function refuseSecond(existing: unknown, { fullpath, properties }: LoadedItem): void {
  const from = isContainer(existing) ? (existing as { [FULLPATH]?: string })[FULLPATH] : undefined;
  if (from === fullpath) return;
  const what = `can't overwrite property '${properties.join('.')}' from ${from ?? 'a value that has no file'} by ${fullpath}`;
  throw new ClutchError('ERR_CLUTCH_DUPLICATE', what, { fix: 'Rename one of them.' });
}

/** The marks are not enumerable, so that copies and comparisons ignore them; a frozen export is not marked. */
function markFile(value: object, fullpath: string): void {
  if (!Object.isExtensible(value)) return;
  Object.defineProperty(value, FULLPATH, { value: fullpath, configurable: true, writable: true });
  Object.defineProperty(value, EXPORTS, { value: true, configurable: true, writable: true });
}
