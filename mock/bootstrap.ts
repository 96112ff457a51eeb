import type { BootstrapKit } from './bootstrap_kit.js';

// Jest runs what is imported in a context of its own, where an app cannot be loaded; jest_environment.cjs gives Node's own require.
const { createRequire } = process.getBuiltinModule('node:module');
const { [Symbol.for('koa-clutch#require')]: given } = globalThis as { [key: symbol]: NodeJS.Require | undefined };
const requireNatively = given ?? createRequire(import.meta.url);
const { bootstrap } = requireNatively('./bootstrap_kit.js') as typeof import('./bootstrap_kit.js');

export const { app, assert, mock, mm }: BootstrapKit = bootstrap(globalThis);
