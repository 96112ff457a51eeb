import path from 'node:path';
import { ClutchError } from '../../errors.js';
import type { ConfigObject, LoadUnit } from '../load_unit.js';
import type { ContextLoaderOptions } from './context_loader.js';
import { isClass } from './export_kind.js';
import type { FileLoaderOptions } from './file_loader.js';

/** One entry of `config.customLoader`, keyed by the property that it fills. */
interface CustomLoaderOptions extends Omit<Partial<ContextLoaderOptions>, 'inject' | 'directory' | 'property'> {
  /** Relative to a load unit. */
  directory: string;
  /** Whether the property is on the application (default) or on each context. */
  inject?: 'app' | 'ctx';
  /** Load the directory of every load unit, not only of the app; default false. */
  loadunit?: boolean;
}

/** The loader, as far as the entries need it. */
interface CustomLoaderHost {
  app: { context: object };
  options: { baseDir: string };
  config: ConfigObject | undefined;
  getLoadUnits(): LoadUnit[];
  loadToApp(directory: string[], property: string, options: Partial<FileLoaderOptions>): void;
  loadToContext(directory: string[], property: string, options: Partial<ContextLoaderOptions>): void;
}

/** @throws {ClutchError} ERR_CLUTCH_CUSTOM_LOADER naming the key at fault */
export function loadCustomLoaders(loader: CustomLoaderHost): void {
  if (!loader.config) {
    throw new ClutchError('ERR_CLUTCH_CUSTOM_LOADER', 'config is not loaded', { fix: 'Call loadConfig() first.' });
  }
  const entries = (loader.config['customLoader'] ?? {}) as Record<string, CustomLoaderOptions>;
  for (const [property, entry] of Object.entries(entries)) loadEntry(loader, property, entry);
}

function loadEntry(loader: CustomLoaderHost, property: string, entry: CustomLoaderOptions): void {
  const { directory: relative, inject = 'app', loadunit, ...options } = entry;
  const where = `config.customLoader.${property}`;
  if (!relative) {
    throw new ClutchError('ERR_CLUTCH_CUSTOM_LOADER', `directory is required for ${where}`, {
      fix: 'e.g. "app/model".',
    });
  }
  const units = loadunit ? loader.getLoadUnits().map((unit) => unit.path) : [loader.options.baseDir];
  const directory = units.map((unit) => path.join(unit, relative));
  if (inject === 'app') {
    assertFree(property in loader.app, `app.${property}`, where);
    loader.loadToApp(directory, property, {
      caseStyle: 'lower',
      initializer: (exports: unknown) => (isClass(exports) ? new exports(loader.app) : exports),
      ...options,
    });
  } else if (inject === 'ctx') {
    assertFree(property in loader.app.context, `ctx.${property}`, where);
    loader.loadToContext(directory, property, { caseStyle: 'lower', fieldClass: `${property}Classes`, ...options });
  } else {
    throw new ClutchError('ERR_CLUTCH_CUSTOM_LOADER', `inject is "${String(inject)}"`, {
      where: `${where}.inject`,
      fix: 'Use "app" or "ctx".',
    });
  }
}

function assertFree(taken: boolean, name: string, where: string): void {
  if (!taken) return;
  throw new ClutchError('ERR_CLUTCH_CUSTOM_LOADER', `customLoader should not override ${name}`, {
    where,
    fix: 'Choose another name.',
  });
}
