import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from './support/apps.js';

interface Locked {
  optionalDependencies?: Record<string, string>;
  libc?: string[];
}

test('package-lock.json has the binaries of every platform, so that npm install leaves it as it is', () => {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const missing = Object.entries(packages).flatMap(([where, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${where}/node_modules/${name}` in packages),
    ),
  );
  assert.deepEqual(missing, []);
});

test('package-lock.json has no "libc", which npm 10 removes and npm 11 does not miss', () => {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const named = Object.keys(packages).filter((where) => packages[where]?.libc !== undefined);
  assert.deepEqual(named, []);
});
