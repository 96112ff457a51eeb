import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type Koa from 'koa';
import type { Composed } from './request/composed.js';
import type { Context, Middleware } from './types.js';

const require = createRequire(import.meta.url);

type OwnMembers =
  | 'use'
  | 'createContext'
  | 'currentContext'
  | 'ctxStorage'
  | 'callback'
  | 'keys'
  | 'env'
  | 'handleRequest'
  | 'emit'
  | 'toJSON'
  | 'inspect';

/** Koa's application, typed with our contexts instead of Koa's. */
export interface KoaBase extends Omit<Koa, OwnMembers> {
  use(fn: Middleware): this;
  createContext(req: IncomingMessage, res: ServerResponse): Context;
  callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  emit(event: string | symbol, ...args: unknown[]): boolean;
  toJSON(): Record<string, unknown>;
  inspect(): Record<string, unknown>;
  env: string;
  handleRequest(ctx: Context, run: Composed): Promise<void>;
}

class LateKoa extends EventEmitter {}

/**
 * The class that applications extend: an emitter, with Koa in between once `loadKoa` was called. Koa is a third of what an Agent
 * would load, and an Agent handles no requests.
 */
export const KoaBase = LateKoa as unknown as new (options: object) => KoaBase;

type KoaClass = new (options: object) => object;

let loaded: KoaClass | undefined;

/** Makes Koa the base of `KoaBase`, once per process. */
export function loadKoa(): KoaClass {
  if (!loaded) {
    // `require` loads CommonJS several times as fast as an import does.
    loaded = require('koa') as KoaClass;
    Object.setPrototypeOf(LateKoa, loaded);
    Object.setPrototypeOf(LateKoa.prototype, loaded.prototype as object);
  }
  return loaded;
}

/** What an application has from Koa, and not from `KoaBase` before Koa is loaded. */
export const KOA_MEMBERS = [
  'compose',
  'context',
  'env',
  'maxIpsCount',
  'middleware',
  'onerror',
  'proxy',
  'proxyIpHeader',
  'request',
  'response',
  'subdomainOffset',
] as const;

/**
 * Gives an application that was constructed without Koa what it would have from it, as soon as any of it is used.
 *
 * @param options of Koa's constructor
 * @param onLoad called then
 */
export function deferKoa(app: object, options: object, onLoad: () => void): void {
  const members = KOA_MEMBERS.filter((name) => !(name in app));
  const load = (): void => {
    const koa = new (loadKoa())(options);
    for (const name of members) {
      Reflect.deleteProperty(app, name);
      const own = Object.getOwnPropertyDescriptor(koa, name);
      if (own) Object.defineProperty(app, name, own);
    }
    onLoad();
  };
  for (const name of members) {
    Object.defineProperty(app, name, {
      configurable: true,
      enumerable: true,
      get: () => {
        load();
        return Reflect.get(app, name) as unknown;
      },
      set: (value: unknown) => {
        load();
        Reflect.set(app, name, value);
      },
    });
  }
}
