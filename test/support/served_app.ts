import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Application, ApplicationOptions } from 'koa-clutch';
import { until } from './apps.js';
import type { HttpOptions } from './http.js';
import { type Files, loadApp, serve } from './loaded_app.js';

/** Serves an app with routes and config, silent and without CSRF; `keys` are set unless config has others. */
export async function serveRoutes(
  t: TestContext,
  routes: string,
  config = '',
  files: Files = {},
  options: ApplicationOptions = {},
) {
  const app = loadApp(
    t,
    {
      'config/config.default.js': `exports.keys = 'first,second'; exports.security = { csrf: false };
        exports.logger = { consoleLevel: 'NONE' }; ${config}`,
      'app/router.js': `module.exports = (app) => { ${routes} };`,
      ...files,
    },
    options,
  );
  return { app, ask: await serve(t, app) };
}

/** Serves an app that responds to each request with the value of an expression of `ctx` and `app`. */
export async function serveExpression(t: TestContext, expression: string, config = '', files: Files = {}) {
  const route = `app.all(/.*/, async (ctx) => { ctx.body = { value: await (${expression}) }; });`;
  const { app, ask } = await serveRoutes(t, route, config, files);
  const evaluate = async (where = '/', options?: HttpOptions): Promise<unknown> =>
    (JSON.parse((await ask(where, options)).body) as { value: unknown }).value;
  return { app, ask, evaluate };
}

/** Waits until a log of an app has a line, and gives the whole text. */
export async function logged(app: Application, file: string, line: RegExp): Promise<string> {
  const log = path.join(app.config['logger'].dir as string, file);
  let text = '';
  await until(`${file} has ${line}`, () => {
    text = readLog(log);
    return line.test(text);
  });
  return text;
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
