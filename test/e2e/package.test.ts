import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT, temporaryDirectory } from '../support/apps.js';
import { compile } from '../support/compile.js';

interface Packed {
  integrity: string;
  files: { path: string }[];
}

const USER = `
import { type Application, Controller } from 'koa-clutch';
import { EggLoader } from 'koa-clutch';
import { Router } from 'koa-clutch/core';
import { app, mock } from 'koa-clutch/mock/bootstrap';

export class Home extends Controller {
  index(): string {
    return this.ctx.path;
  }
}
export const port: number = app.config.cluster.listen.port;
export const routerOf = (application: Application): Router => application.router as Router;
export const loader = EggLoader;
mock(app, 'name', 'other');
`;

test('types resolve for ESM and for CommonJS users, and a mistake is found in both', (t) => {
  for (const type of ['module', 'commonjs']) {
    const compileAs = (source: string) =>
      compile(t, { 'package.json': `{ "name": "demo", "type": "${type}" }`, 'app/user.ts': source });
    assert.equal(compileAs(USER), '', type);
    assert.match(
      compileAs(USER.replace('this.ctx.path', 'this.ctx.status')),
      /'number' is not assignable to type 'string'/,
      type,
    );
  }
});

/** Builds and packs a copy of the sources. */
function packCopy(t: TestContext): Packed {
  const dir = path.join(temporaryDirectory(t), 'clone');
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ':!test', ':!bench'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of listed.trim().split('\n')) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(dir, file));
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'), 'dir');
  const run = (...args: string[]) => execFileSync(args[0] as string, args.slice(1), { cwd: dir, encoding: 'utf8' });
  run(process.execPath, 'scripts/build.mjs');
  const [packed] = Object.values(JSON.parse(run('npm', 'pack', '--ignore-scripts', '--json')));
  return packed as Packed;
}

test('two clones pack the same bytes, with the docs and without sources', (t) => {
  const [first, second] = [packCopy(t), packCopy(t)];
  assert.equal(first.integrity, second.integrity);
  const files = first.files.map((file) => file.path);
  assert.ok(files.includes('docs/cluster.md') && files.includes('dist/index.d.ts'));
  assert.deepEqual(
    files.filter(
      (file) =>
        /^(?!dist|docs|deploy|app-template)[^/]+\//.test(file) ||
        /(?<!\.d)\.ts$/.test(file.replace(/^app-template.*/, '')),
    ),
    [],
  );
});

test('installing the package runs no script of it or of its dependencies', () => {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }>;
  };
  const scripts = Object.entries(packages).filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev);
  assert.deepEqual(scripts, []);
});
