// Installs the plugins of Egg that test/compat/egg_plugins.test.ts uses, where they are not yet.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const dir = fileURLToPath(new URL('../test/fixtures/egg-plugins', import.meta.url));
if (!existsSync(path.join(dir, 'node_modules/.package-lock.json'))) {
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--no-package-lock'];
  const { status } = spawnSync('npm', args, { cwd: dir, stdio: 'inherit' });
  process.exit(status ?? 1);
}
