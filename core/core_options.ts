import type { AsyncLocalStorage } from 'node:async_hooks';
import { ClutchError } from '../errors.js';
import type { PluginDeclarations, ResolvedConfig } from '../loader/index.js';
import { assertAppDirectory } from '../resolve/package.js';
import type { Composed } from './request/composed.js';
import type { Context } from './types.js';

export interface CoreOptions {
  /** The app's directory; default `process.cwd()`. */
  baseDir?: string;
  /** Default `application`. */
  type?: 'application' | 'agent';
  /** Plugin declarations merged over those of all files. */
  plugins?: PluginDeclarations;
  /** The server env; beats `config/env` and the environment. */
  env?: string;
  /** The server scope; beats `EGG_SERVER_SCOPE`. */
  serverScope?: string;
  /** Milliseconds that an async config function may take; default 10 000. For `create()` and `resolveConfig()`. */
  configTimeout?: number;
  /** Set by `create()` and `resolveConfig()`: what async config functions have resolved with. */
  resolvedConfig?: ResolvedConfig;
  /** Composes the middleware in place of Clutch, as Koa's option of this name. */
  compose?: (middleware: readonly unknown[]) => Composed;
  /** The storage of `ctxStorage`, as Koa's option of this name; default: one for all apps of the process. */
  asyncLocalStorage?: boolean | AsyncLocalStorage<Context>;
  [key: string]: unknown;
}

/** @throws {ClutchError} ERR_CLUTCH_OPTION if `baseDir` or `type` is invalid, ERR_CLUTCH_NOT_FOUND if there is no such directory */
export function checkOptions({ baseDir, type }: CoreOptions): void {
  if (typeof baseDir !== 'string') {
    throw new ClutchError('ERR_CLUTCH_OPTION', 'options.baseDir must be a string', {
      where: `got ${typeof baseDir}`,
      fix: 'Give the directory of the app.',
    });
  }
  assertAppDirectory(baseDir, 'options.baseDir');
  if (type !== 'application' && type !== 'agent') {
    throw new ClutchError('ERR_CLUTCH_OPTION', 'options.type must be application or agent', {
      where: `got ${String(type)}`,
    });
  }
}
