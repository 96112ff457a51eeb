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
// `require` loads CommonJS several times as fast as an import does.
export const KoaBase = require('koa') as new (options: object) => KoaBase;
