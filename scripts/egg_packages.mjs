// Installs what test/compat/ and test/mock/ use of others, where it is not yet: Egg's plugins, command-line tools and test kit, and
// test runners.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const fixtures = fileURLToPath(new URL('../test/fixtures', import.meta.url));

/** @returns whether the packages of a fixture are there */
function install(name) {
  const cwd = path.join(fixtures, name);
  if (existsSync(path.join(cwd, 'node_modules/.package-lock.json'))) return true;
  // Egg itself is a peer of its tools: it is left out, Clutch takes its place.
  const args = ['install', '--legacy-peer-deps', '--no-audit', '--no-fund', '--loglevel=error', '--no-package-lock'];
  return spawnSync('npm', args, { cwd, stdio: 'inherit' }).status === 0;
}

const installed = ['egg-3', 'egg-4-plugins', 'egg-plugins', 'egg-tools', 'runners'].map(install);
process.exit(installed.every(Boolean) ? 0 : 1);
