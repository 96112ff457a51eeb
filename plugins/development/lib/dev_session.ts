import { createRequire } from 'node:module';
import type { Application } from '../../../framework/index.js';
import type { PageError } from '../../../output/error_page.js';

/** Set by `clutch dev` for its processes. */
export const isDevSession = (): boolean => process.env['CLUTCH_DEV'] === '1';

/** What `clutch dev` prints of an app that has started. */
interface AppFacts {
  routes: number;
  plugins: string[];
}

export type DevError = PageError | undefined;

const errors = new WeakMap<object, DevError>();

/** Reports the app to `clutch dev`, and keeps the error that it sends: the one of the last edit, or of its types. */
export function joinDevSession(app: Application): void {
  const plugins = Object.values(app.plugins).filter(({ enable }) => enable);
  const facts: AppFacts = {
    routes: app.router.stack.filter(({ methods }) => methods.length > 0).length,
    plugins: plugins.map(({ name }) => name),
  };
  const report = (): void => void app.messenger.send('clutch-dev-facts', facts, 'master');
  app.messenger.on('clutch-dev-facts', report);
  app.messenger.on('clutch-dev-error', (error: DevError) => errors.set(app, error));
}

export function devErrorOf(app: object): DevError {
  return errors.get(app);
}

/** @returns what only a page with an error needs */
export function pages(): typeof import('../lazy/error_page.js') {
  return createRequire(import.meta.url)('../lazy/error_page.js') as typeof import('../lazy/error_page.js');
}
