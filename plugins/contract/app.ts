import type { Application } from '../../framework/index.js';
import { contractOf } from './lib/contract.js';
import { type ContractRoute, openApiDocument } from './lib/openapi.js';
import { openApiPage } from './lib/page.js';

interface ContractConfig {
  openapi: string | false;
  page: string | false;
}

/** Serves the API document of the routes that have a contract. */
export default class ContractBoot {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  /** The app's routes are there by now and come first: an app may serve these paths itself. */
  async didLoad(): Promise<void> {
    const app = this.#app;
    const { openapi, page } = app.config['contract'] as ContractConfig;
    if (openapi) {
      app.router.get(openapi, (ctx) => {
        ctx.body = documentOf(app);
      });
    }
    if (page) {
      app.router.get(page, (ctx) => {
        ctx.type = 'html';
        ctx.body = openApiPage(documentOf(app), openapi || '');
      });
    }
  }
}

function documentOf(app: Application): Record<string, unknown> {
  const { version = '0.0.0', description } = app.config['pkg'] as { version?: string; description?: string };
  const routes = app.router.stack.flatMap<ContractRoute>(({ methods, path, name, stack }) => {
    const schemas = contractOf(stack);
    if (!schemas || typeof path !== 'string') return [];
    const own = methods.map((method) => method.toLowerCase()).filter((method) => method !== 'head');
    return [{ methods: own, path, name, schemas }];
  });
  return openApiDocument({ title: app.name, version, ...(description ? { description } : {}) }, routes);
}
