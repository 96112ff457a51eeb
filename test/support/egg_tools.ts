import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT } from './apps.js';
import { type Files, writeApp } from './loaded_app.js';

const INSTALLED = path.join(ROOT, 'test/fixtures/egg-tools/node_modules');

/** Why tests with Egg's tools are skipped, false when the tools are there. */
export const skipEggTools: string | false = existsSync(path.join(INSTALLED, 'egg-bin'))
  ? false
  : 'node scripts/egg_packages.mjs has not been run';

const APP: Files = {
  'package.json': '{ "name": "demo" }',
  'config/config.default.js': `exports.keys = 'k';`,
  'config/config.unittest.js': `exports.logger = { dir: require('path').join(__dirname, '../logs') };`,
  'app/router.js': `module.exports = (app) => {
    const { home } = app.controller;
    app.get('home', '/', home.index);
    app.post('/', home.save);
    app.get('/out', home.out);
  };`,
  'app/controller/home.js': `module.exports = (app) => class extends app.Controller {
    async index() {
      const { ctx } = this;
      ctx.logger.info('home is asked');
      const cookie = ctx.cookies.get('c', { signed: false });
      ctx.body = { name: await ctx.service.user.name(), user: ctx.session.user, token: ctx.get('x-token'), cookie };
    }
    async save() {
      this.ctx.body = this.ctx.request.body;
    }
    async out() {
      const { data } = await this.ctx.curl('http://example.invalid/a', { dataType: 'json' });
      this.ctx.body = data;
    }
  };`,
  'app/service/user.js': `module.exports = (app) => class extends app.Service {
    async name() {
      return 'ada';
    }
  };`,
};

/** Writes a small app with routes, a service and a session, with all installed tools in its node_modules. */
export function appWithTools(t: TestContext, files: Files = {}): string {
  const baseDir = writeApp(t, { ...APP, ...files });
  for (const name of readdirSync(INSTALLED)) {
    const link = path.join(baseDir, 'node_modules', name);
    if (!name.startsWith('.') && !existsSync(link)) symlinkSync(path.join(INSTALLED, name), link, 'dir');
  }
  return baseDir;
}

export interface Tool {
  child: ChildProcess;
  output(): string;
  /** Resolves with the exit code. */
  exited: Promise<number | null>;
}

/** Starts a tool in the app's directory. */
export function spawnTool(
  t: TestContext,
  baseDir: string,
  entry: string,
  args: string[],
  variables: NodeJS.ProcessEnv = {},
): Tool {
  const { NODE_TEST_CONTEXT: _, NODE_ENV: __, ...env } = process.env;
  const home = path.join(baseDir, 'home');
  const child = spawn(process.execPath, [path.join(baseDir, 'node_modules', entry), ...args], {
    cwd: baseDir,
    env: { ...env, EGG_HOME: home, MOCK_HOME_DIR: home, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  });
  return { child, output: () => output, exited };
}
