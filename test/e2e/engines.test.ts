import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/apps.js';

const { minVersion, satisfies } = createRequire(import.meta.url)('semver') as {
  minVersion(range: string): { version: string };
  satisfies(version: string, range: string): boolean;
};

interface Locked {
  dev?: boolean;
  engines?: { node?: string };
}

test('every package that is installed with Clutch runs on the oldest Node that it promises', () => {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const oldest = minVersion(packages['']?.engines?.node ?? '').version;
  const refusing = Object.entries(packages).filter(
    ([, { dev, engines }]) => !dev && engines?.node !== undefined && !satisfies(oldest, engines.node),
  );
  assert.deepEqual(
    refusing.map(([name, { engines }]) => `${name} ${engines?.node}`),
    [],
  );
});
