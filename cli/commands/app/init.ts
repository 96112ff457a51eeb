import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClutchError } from '../../../errors.js';
import { readPackage } from '../../../resolve/package.js';
import { defineCommand } from '../../command.js';
import { packageRoot } from '../../package_root.js';
import { usageError } from '../../usage_error.js';
import { writeTypes } from './types.js';

export const command = defineCommand({
  needsDirectory: true,
  options: {
    js: { help: 'plain JavaScript in place of TypeScript' },
    port: { argument: 'port', help: 'where the app listens; the next one is for probes. Default 7001' },
  },
  examples: { 'init my-app': 'in TypeScript', 'init my-app --js': 'in JavaScript' },
  async run({ directory, options }) {
    createApp(directory, options.js ? 'js' : 'ts', portOf(options.port ?? '7001'));
    if (!options.js) await writeTypes(directory);
    const relative = path.relative(process.cwd(), directory) || '.';
    console.log(`Made ${relative}. Next:\n\n  cd ${relative}\n  npm install\n  npm run dev`);
  },
});

/** @throws {ClutchError} ERR_CLUTCH_CLI when the directory holds something */
function createApp(directory: string, language: 'js' | 'ts', port: number): void {
  mkdirSync(directory, { recursive: true });
  const found = readdirSync(directory).filter((name) => name !== '.git');
  if (found.length > 0) {
    throw new ClutchError('ERR_CLUTCH_CLI', `${directory} is not empty`, {
      where: `it holds ${found.slice(0, 5).join(', ')}${found.length > 5 ? ', …' : ''}`,
      fix: 'Give a new directory; nothing was written.',
    });
  }
  const template = path.join(packageRoot(), 'app-template', language);
  cpSync(template, directory, { recursive: true });
  // npm leaves files of these names out of a package, or reads them as its own.
  renameSync(path.join(directory, '_gitignore'), path.join(directory, '.gitignore'));
  renameSync(path.join(directory, '_package.json'), path.join(directory, 'package.json'));
  const values = { name: packageName(path.basename(directory)), clutch: ownSpecifier(), keys: randomKeys() };
  // Not all of the directory: it may hold .git.
  for (const name of readdirSync(template, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(directory, name.replace(/^_gitignore$/, '.gitignore').replace(/^_package/, 'package'));
    if (statSync(file).isFile()) fill(file, values, port);
  }
}

/** Puts values in place of `{{name}}` and the like, and the ports in place of the template's. */
function fill(file: string, values: Record<string, string>, port: number): void {
  const text = readFileSync(file, 'utf8');
  const filled = text
    .replace(/\{\{(\w+)\}\}/g, (match, key: string) => values[key] ?? match)
    .replace(/\b700([12])\b/g, (_, nth: string) => String(port - 1 + Number(nth)));
  if (filled !== text) writeFileSync(file, filled);
}

/** @throws {ClutchError} ERR_CLUTCH_CLI */
function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_535) return port;
  throw usageError(`--port takes a number from 1 to 65534, not ${text}`);
}

function randomKeys(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url');
}

function packageName(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[-._]+/, '') || 'app'
  );
}

/**
 * What the new app depends on: this version from the registry, or the very tarball or checkout that this command
 * was installed from, so that the app runs on what made it.
 */
function ownSpecifier(): string {
  const root = packageRoot();
  const { version } = readPackage(root);
  const modules = path.dirname(root);
  if (path.basename(modules) !== 'node_modules')
    return pathToFileURL(root).href.replace('file://', 'file:').replace(/\/$/, '');
  try {
    const lock = JSON.parse(readFileSync(path.join(modules, '.package-lock.json'), 'utf8'));
    const { resolved } = lock.packages['node_modules/koa-clutch'] as { resolved?: string };
    if (resolved?.startsWith('file:')) return `file:${path.resolve(modules, '..', resolved.slice('file:'.length))}`;
  } catch {
    // Not installed by npm: the registry has it.
  }
  return `^${version}`;
}
