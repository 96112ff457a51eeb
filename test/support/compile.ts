import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { CLI, ROOT } from './apps.js';
import { type Files, writeApp } from './loaded_app.js';

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
  },
  include: ['*.ts', 'app', 'config', 'typings'],
};

/** Compiles an app as its user does, after `clutch types`. @returns what the compiler prints, `''` if nothing is wrong */
export function compile(t: TestContext, files: Files): string {
  const dir = writeApp(t, {
    'package.json': '{ "name": "demo", "type": "module" }',
    'tsconfig.json': JSON.stringify(TSCONFIG),
    ...files,
  });
  spawnSync(process.execPath, [CLI, 'types'], { cwd: dir });
  return spawnSync(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', dir], {
    encoding: 'utf8',
  }).stdout;
}
