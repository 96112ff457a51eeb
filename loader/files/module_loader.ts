import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { debuglog } from 'node:util';
import { ClutchError, toError } from '../../errors.js';

const require = createRequire(import.meta.url);
const log = debuglog('clutch:loader');

/**
 * How this process treats `.ts`: `first` if a hook such as tsx loads it or `EGG_TYPESCRIPT` is set,
 * `fallback` if Node strips types itself, `off` if only compiled JavaScript runs.
 */
type TypeScriptMode = 'first' | 'fallback' | 'off';

export function typeScriptMode(): TypeScriptMode {
  const native = Boolean((process.features as { typescript?: unknown }).typescript);
  const hooked = !native && '.ts' in require.extensions;
  if (hooked || (native && process.env['EGG_TYPESCRIPT'] === 'true')) return 'first';
  return native ? 'fallback' : 'off';
}

const JS_EXTENSIONS = ['.js', '.cjs', '.mjs', '.json'];
const TS_EXTENSIONS = ['.ts', '.cts', '.mts'];

/** @returns the extensions that are tried for a file without one, in order */
function extensions(): string[] {
  const mode = typeScriptMode();
  if (mode === 'off') return JS_EXTENSIONS;
  return mode === 'first' ? [...TS_EXTENSIONS, ...JS_EXTENSIONS] : [...JS_EXTENSIONS, ...TS_EXTENSIONS];
}

/** @returns true for the names that FileLoader loads by default: modules, except declaration files */
export function isModuleFile(name: string): boolean {
  if (/\.d\.[cm]?ts$/.test(name)) return false;
  if (/\.[cm]?js$/.test(name)) return true;
  return /\.[cm]?ts$/.test(name) && typeScriptMode() !== 'off';
}

/**
 * Keeps one of `x.ts` and `x.js` in the same directory: the source if TypeScript comes first, else the compiled file.
 */
export function dropShadowed(files: string[]): string[] {
  const chosen = new Map<string, string>();
  const order = extensions();
  const rank = (file: string): number => order.indexOf(path.extname(file));
  for (const file of files) {
    const stem = file.slice(0, -path.extname(file).length);
    const other = chosen.get(stem);
    if (other === undefined || rank(file) < rank(other)) chosen.set(stem, file);
  }
  return files.filter((file) => chosen.get(file.slice(0, -path.extname(file).length)) === file);
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * Resolves a path without an extension: the file with one, else `index` in that directory.
 *
 * @returns the file's path, or undefined when there is none
 * @throws {ClutchError} ERR_CLUTCH_NOT_COMPILED when only a `.ts` source is there and this process cannot load it
 */
export function resolveModule(filepath: string): string | undefined {
  if (isFile(filepath)) return filepath;
  for (const base of [filepath, path.join(filepath, 'index')]) {
    for (const extension of extensions()) {
      if (isFile(base + extension)) return base + extension;
    }
    if (typeScriptMode() !== 'off') continue;
    for (const extension of TS_EXTENSIONS) if (isFile(base + extension)) throw notCompiled(base + extension);
  }
  return undefined;
}

export function notCompiled(file: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_NOT_COMPILED', `there is no compiled JavaScript beside ${file}`, {
    fix: 'Compile first (npm run build), or run it with `clutch dev`, which needs a tsconfig.json in the app, or on a Node that strips types.',
  });
}

/** What files export that were loaded ahead, together, by their paths. */
const ahead = new Map<string, unknown>();

/** Gives what files export that a framework has loaded ahead, together, so that none of them is looked for and loaded by itself. */
export function registerModules(modules: Iterable<[file: string, exported: unknown]>): void {
  for (const [file, exported] of modules) ahead.set(file, exported);
}

/**
 * Loads a module of any kind synchronously.
 *
 * @returns the default export if there is one, else the exports; the Buffer of a file with an unknown extension
 * @throws {ClutchError} ERR_CLUTCH_TOP_LEVEL_AWAIT, ERR_CLUTCH_MODULE with the original error as `cause`
 */
export function loadModule(file: string): unknown {
  const known = ahead.get(file);
  if (known !== undefined) return known;
  const extension = path.extname(file);
  if (extension && ![...JS_EXTENSIONS, ...TS_EXTENSIONS, '.node'].includes(extension)) return readFileSync(file);
  log('load %s', file);
  if (extension === '.js') warnIfStale(file);
  let exported: unknown;
  try {
    exported = require(file);
  } catch (thrown) {
    throw moduleError(file, toError(thrown));
  }
  return defaultExport(exported);
}

/** Plugins import Egg's core without declaring it, because Egg installs it beside them. */
const EGG_CORE = /^Cannot find (?:module|package) '(egg-core|@eggjs\/core)'/;

/** A path begins with a dot, a slash or a drive. */
const MISSING_PACKAGE = /^Cannot find (?:module|package) '((?:@[^/'\\]+\/)?[^@./'\\:][^/'\\:]*)[/']/;

/** Milliseconds by which the times of files may differ when both were copied. */
const COPY_TOLERANCE = 1000n;

let hasWarned = false;

/** Warns, once per process, if the TypeScript beside a file was edited after that file was compiled. */
function warnIfStale(file: string): void {
  if (hasWarned) return;
  const source = `${file.slice(0, -3)}.ts`;
  const edited = statSync(source, { bigint: true, throwIfNoEntry: false })?.mtimeMs;
  if (edited === undefined || edited <= statSync(file, { bigint: true }).mtimeMs + COPY_TOLERANCE) return;
  hasWarned = true;
  const advice = 'Compile again, remove the .js, or set EGG_TYPESCRIPT=true where TypeScript can be loaded.';
  process.emitWarning(`${file} is loaded, and is older than ${source}. ${advice}`, 'ClutchWarning');
}

function moduleError(file: string, cause: Error): ClutchError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ERR_REQUIRE_ASYNC_MODULE') {
    return new ClutchError('ERR_CLUTCH_TOP_LEVEL_AWAIT', `${file} (or a module it imports) uses top-level await`, {
      fix: 'Move the await into a lifecycle hook such as didLoad; files are loaded synchronously.',
      cause,
    });
  }
  const fix = fixOfMissing(cause.message);
  return new ClutchError('ERR_CLUTCH_MODULE', `load file: ${file}, error: ${cause.message}`, {
    ...(fix && { fix }),
    cause,
  });
}

/** @returns what to do if a package is not installed */
function fixOfMissing(message: string): string | undefined {
  const eggCore = EGG_CORE.exec(message)?.[1];
  if (eggCore) {
    return `Add "${eggCore}": "npm:koa-clutch" to the dependencies of the app: EggCore, EggLoader and BaseContextClass are there.`;
  }
  const name = MISSING_PACKAGE.exec(message)?.[1];
  return name && `Install it (npm install ${name}), or correct the import.`;
}

function defaultExport(exported: unknown): unknown {
  if (typeof exported !== 'object' || exported === null) return exported;
  const isEsm = (exported as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Module';
  if (!isEsm && !(exported as { __esModule?: boolean }).__esModule) return exported;
  if (!('default' in exported)) return isEsm ? { ...exported } : exported;
  const value = exported.default;
  // CommonJS compiled from TypeScript and required through an ES module facade has two default exports, one in the other.
  if (typeof value === 'object' && value !== null && '__esModule' in value && 'default' in value) return value.default;
  return value;
}

/** @returns the module at `filepath`, or null if there is none */
export function loadIfExists(filepath: string): { file: string; exports: unknown } | null {
  if (!isListed(filepath)) return null;
  const file = resolveModule(filepath);
  return file === undefined ? null : { file, exports: loadModule(file) };
}

/** Names in a directory, for as long as this iteration of the event loop lasts: a load is synchronous. */
const listings = new Map<string, string[]>();

/**
 * One look into a directory takes the place of a look for each name and extension that a convention allows there.
 *
 * @returns false when nothing in the directory has that name, with any extension or none
 */
function isListed(filepath: string): boolean {
  const dir = path.dirname(filepath);
  let names = listings.get(dir);
  if (names === undefined) {
    names = namesIn(dir);
    if (listings.size === 0) setImmediate(() => listings.clear()).unref();
    listings.set(dir, names);
  }
  const name = path.basename(filepath);
  return names.some(
    (listed) => listed.startsWith(name) && (listed.length === name.length || listed[name.length] === '.'),
  );
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
