import type { Router } from '../../../core/index.js';
import { FileLoader, type Loader, toDumpable } from '../../../loader/index.js';

/** What `clutch config`, `plugins`, `middleware` and `routes` print. */
export interface ReportApp {
  loader: Loader;
  config: Record<string, unknown>;
  router: Router;
}

export type ReportTopic = 'config' | 'plugins' | 'middleware' | 'routes';

/** @returns rows for one topic, as data that JSON can hold */
export function reportApp(app: ReportApp, topic: ReportTopic, key?: string): unknown {
  const { loader } = app;
  if (topic === 'config') return toDumpable(loader.explainConfig(key), loader.masker);
  if (topic === 'plugins') return loader.explainPlugins();
  if (topic === 'middleware') {
    return loader.listedMiddleware.map(({ name, file, enabled }) => ({ name, enabled, file }));
  }
  return app.router.stack
    .filter((layer) => layer.methods.length > 0)
    .map(({ name, methods, path, stack }) => ({
      methods:
        methods.length > 10 ? ['ALL'] : methods.filter((method) => method !== 'HEAD' || !methods.includes('GET')),
      path: String(path),
      name,
      controller: (stack.at(-1) as unknown as Record<symbol, string | undefined>)[FileLoader.FULLPATH],
    }));
}

/** @returns what `run/router.json` holds of each route */
export function describeRoutes(router: Router): object[] {
  return router.stack.map(({ name, methods, paramNames, path, regexp, stack }) => ({
    name,
    methods,
    paramNames,
    path: String(path),
    regexp: String(regexp),
    stack: stack.map((handler) => {
      const named = handler as unknown as Record<string | symbol, string | undefined>;
      return named[FileLoader.FULLPATH] || named['_name'] || named['name'] || 'anonymous';
    }),
  }));
}
