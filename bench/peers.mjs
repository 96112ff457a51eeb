import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the packages that Clutch is compared with are installed; not part of the repository. */
export const PEERS = fileURLToPath(new URL('.peers', import.meta.url));

/**
 * Installs packages into a directory of their own, once for each list.
 *
 * @param name of the directory
 * @param packages as `npm install` takes them
 * @returns its path
 */
export function installPeers(name, packages) {
  const dir = path.join(PEERS, name);
  const marker = path.join(dir, 'installed.json');
  const wanted = JSON.stringify(packages);
  if (existsSync(marker) && createRequire(marker)(marker).packages === wanted) return dir;
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, 'package.json'), '{ "private": true }');
  console.error(`installing ${packages.join(' ')}`);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(marker, JSON.stringify({ packages: wanted }));
  return dir;
}

/** @returns what a package of that directory exports */
export function requirePeer(dir, name) {
  return createRequire(path.join(dir, 'package.json'))(name);
}
