import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, ROOT } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

const page = readFileSync(path.join(ROOT, 'docs/migration-from-egg.md'), 'utf8');

test('docs/migration-from-egg.md: the command prints what the page says, without any egg installed', (t) => {
  const blocks = page.matchAll(/^`([^`\n]+)`\n\n```\w+\n([\s\S]*?)^```$/gm);
  const files = Object.fromEntries([...blocks].map(([, file, code]) => [file as string, code as string]));
  assert.equal(Object.keys(files).length, 7);
  const dir = writeApp(t, files);
  rmSync(path.join(dir, 'node_modules'), { recursive: true });
  const { stdout, status } = spawnSync(process.execPath, [CLI, 'doctor', dir, '--from', 'egg'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', NODE_ENV: undefined, NODE_TEST_CONTEXT: undefined },
  });
  const [, expected] = /^```text\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const withoutTime = (text: string | undefined) => text?.replace(/boots in \d+ ms/, 'boots in … ms');
  assert.equal(withoutTime(stdout), withoutTime(expected));
  assert.equal(status, 0);
});
