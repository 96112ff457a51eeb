import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const cli = path.join(root, 'dist/cli/index.js');

/** @returns nothing; ends the process with the exit code of a command that fails */
export function run(args, cwd) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Scaffolds the template; in place of `npm install` the app takes what this checkout has.
 *
 * @param flags of `clutch init`
 */
export function makeTemplateApp(app, flags = []) {
  const { status, stderr } = spawnSync(process.execPath, [cli, 'init', app, ...flags], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
    readFileSync(path.join(app, 'package.json'), 'utf8'),
  );
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
    const link = path.join(app, 'node_modules', name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(name === 'koa-clutch' ? root : path.join(root, 'node_modules', name), link, 'dir');
  }
}
