import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/apps.js';

const page = readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');

test('docs/architecture.md names files and folders that exist', () => {
  const named = [...page.matchAll(/`([\w/]+(?:\/|\.ts))`/g)].map(([, name]) => name as string);
  assert.ok(named.length > 40);
  const within = ['app/', 'config/', 'plugins/', 'files/', 'lib/', 'worker/', 'inspect/'];
  assert.deepEqual(
    named.filter((name) => !existsSync(path.join(ROOT, name)) && !within.includes(name)),
    [],
  );
});

test('docs/architecture.md tells of every folder that holds source files, or of one above it', () => {
  const files = execFileSync('git', ['ls-files', '*.ts'], { cwd: ROOT, encoding: 'utf8' }).split('\n');
  const folders = new Set(
    files.filter((file) => /^(?!test|app-template)\w+\//.test(file)).map((file) => path.dirname(file)),
  );
  const told = [...page.matchAll(/^\| `([\w/]+)\/` /gm)].map(([, name]) => name as string);
  assert.deepEqual(
    [...folders].filter(
      (folder) => !told.some((name) => `${folder}/`.startsWith(`${name}/`) || name.startsWith(`${folder}/`)),
    ),
    [],
  );
});
