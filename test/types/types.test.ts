import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { CLI, fixture, ROOT, temporaryDirectory } from '../support/apps.js';

/** Copies the app of the type tests, which imports koa-clutch and libraries of this checkout. */
function typedApp(t: TestContext): string {
  const dir = path.join(temporaryDirectory(t), 'types');
  cpSync(fixture('types'), dir, { recursive: true });
  mkdirSync(path.join(dir, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'expect-type', 'zod'])
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(dir, 'node_modules', name), 'dir');
  symlinkSync(ROOT, path.join(dir, 'node_modules/koa-clutch'), 'dir');
  return dir;
}

interface Outcome {
  code: number | null;
  output: string;
}

function node(dir: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

const types = (dir: string, ...flags: string[]): Outcome => node(dir, CLI, 'types', ...flags);
const compile = (dir: string): Outcome => node(dir, path.join(ROOT, 'node_modules/typescript/bin/tsc'));

test('what an app infers of services, config, plugins, extends, routes, contracts and messages, and what is refused', (t) => {
  const dir = typedApp(t);
  assert.equal(types(dir).code, 0);
  assert.equal(compile(dir).output, '');
});

test('types --check names what is old with exit code 1, and writes nothing', (t) => {
  const dir = typedApp(t);
  const missing = types(dir, '--check');
  assert.equal(missing.code, 1);
  assert.match(
    missing.output,
    /^typings\/clutch\.d\.ts is old: run `clutch types`\n(?: {2}\+ .*\n)* {2}\+ app\/service\/user\n/,
  );
  types(dir);
  assert.deepEqual(types(dir, '--check'), {
    code: 0,
    output: 'typings/clutch.d.ts is up to date\ntypings/clutch_files.ts is up to date\n',
  });
  writeFileSync(path.join(dir, 'app/service/tag.ts'), 'export default class {}');
  rmSync(path.join(dir, 'app/extend/helper.ts'));
  for (const _ of [1, 2]) {
    const old = types(dir, '--check');
    assert.equal(old.code, 1);
    assert.match(
      old.output,
      /clutch\.d\.ts is old: run `clutch types`\n {2}\+ app\/service\/tag\n {2}- app\/extend\/helper\n/,
    );
  }
});

test('tsc alone fails when a file that typings were made from is gone', (t) => {
  const dir = typedApp(t);
  types(dir);
  // Nothing of the app names it.
  rmSync(path.join(dir, 'app/extend/agent.ts'));
  renameSync(path.join(dir, 'inferred.ts'), path.join(dir, 'inferred.txt'));
  const { code, output } = compile(dir);
  assert.notEqual(code, 0);
  assert.match(
    output,
    /typings\/clutch_files\.ts\(\d+,\d+\): error TS2307: Cannot find module '\.\.\/app\/extend\/agent\.js'/,
  );
});
