import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Agent, Application, type ApplicationOptions } from 'koa-clutch';
import { ROOT, temporaryDirectory, until } from './apps.js';
import { type HttpResponse, request } from './http.js';

export type Files = Record<string, string>;

/** Writes a whole app from the texts of its files; `package.json` is added when it is not given. */
export function writeApp(t: TestContext, files: Files = {}): string {
  const dir = temporaryDirectory(t);
  const all: Files = { 'package.json': '{ "name": "demo" }', ...files };
  for (const [name, text] of Object.entries(all)) {
    const file = path.join(dir, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const modules = path.join(dir, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const name of ['egg', 'koa-clutch']) symlinkSync(ROOT, path.join(modules, name), 'dir');
  return dir;
}

interface LoadOptions extends ApplicationOptions {
  /** The framework's class; default Clutch's own. */
  as?: typeof Application;
}

/** Loads an app in this process, env `unittest`; it is closed after the test. Throws what its constructor throws. */
export function loadApp(t: TestContext, files: Files = {}, { as: Class = Application, ...options }: LoadOptions = {}) {
  const app = new Class({ baseDir: writeApp(t, files), env: 'unittest', mode: 'single', ...options });
  t.after(() => app.close().catch(() => undefined));
  return app;
}

/** @returns a framework on top of another one, whose load unit is a directory */
export function frameworkAt(eggPath: unknown, Base: typeof Application = Application): typeof Application {
  return class extends Base {
    get [Symbol.for('egg#eggPath') as never]() {
      return eggPath;
    }
  };
}

/** Loads the Agent of an app in this process. */
export function loadAgent(t: TestContext, files: Files = {}, options: ApplicationOptions = {}): Agent {
  const agent = new Agent({ baseDir: writeApp(t, files), env: 'unittest', mode: 'single', ...options });
  t.after(() => agent.close().catch(() => undefined));
  return agent;
}

/** @returns what the framework and the loader have logged */
export function coreLog({ config: { logger }, type }: Application | Agent): string {
  const file = path.join(logger.dir, type === 'agent' ? logger.agentLogName : logger.coreLogName);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Waits until the files in run/ are there: they are written soon after the app is ready, this one last. */
export async function written({ baseDir }: Application): Promise<void> {
  const last = path.join(baseDir, 'run/router.json');
  await until('run/ is written', () => existsSync(last));
}

type Ask = (path: string, options?: Parameters<typeof request>[1]) => Promise<HttpResponse>;

/** Serves an app on a port of its own. */
export async function serve(t: TestContext, app: Application): Promise<Ask> {
  await app.ready();
  const server = app.listen(0);
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  return (where, options) => request(`http://127.0.0.1:${port}${where}`, options);
}
