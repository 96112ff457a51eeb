import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nearest } from '../../../resolve/nearest.js';
import { packageRoot } from '../../package_root.js';
import { CONFIG_KEYS, EVERYWHERE } from '../config_keys.js';
import type { Finding } from '../finding.js';
import { type LoadedApp, leafOf } from '../loaded_app.js';

export interface ConfigFacts {
  app: LoadedApp;
  /** The server env. */
  env: string;
  /** Directory of Clutch. */
  clutch: string;
  /** Code of the app and its plugins, without config files: who reads a key names it there. */
  code: string;
}

/** Bytes of code that are read, at most. */
const MOST_CODE = 32 * 1024 * 1024;

const NO_CODE = /(?:^|[/\\])(?:node_modules|public|run|logs|typings|view|test|coverage|\.git)(?:[/\\]|$)/;

export function gatherConfig(baseDir: string, app: LoadedApp, env: string): ConfigFacts {
  const clutch = packageRoot();
  const plugins = app.plugins.filter(({ enable, path: dir }) => enable && dir && !isInside(dir, clutch));
  const dirs = [baseDir, ...plugins.map(({ path: dir }) => dir as string)];
  let code = '';
  for (const dir of new Set(dirs)) {
    for (const file of modulesOf(dir)) if (code.length < MOST_CODE) code += `${readFileSync(file, 'utf8')}\n`;
  }
  return { app, env, clutch, code };
}

function modulesOf(dir: string, below = ''): string[] {
  return readdirSync(path.join(dir, below), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(below, entry.name);
    if (NO_CODE.test(name) || name === 'config') return [];
    if (entry.isDirectory()) return modulesOf(dir, name);
    return entry.isFile() && /\.[cm]?[jt]s$/.test(name) && !/\.d\.[cm]?ts$/.test(name) ? [path.join(dir, name)] : [];
  });
}

function isInside(file: string, dir: string): boolean {
  return file.startsWith(dir.endsWith(path.sep) ? dir : dir + path.sep);
}

export function checkConfig(facts: ConfigFacts): Finding[] {
  return [...checkKeys(facts), ...checkUnread(facts)];
}

function checkKeys({ app, env }: ConfigFacts): Finding[] {
  const keys = leafOf(app, 'keys');
  // Secrets are masked: their length is all that is shown.
  if (keys !== undefined && keys !== '' && keys !== '<String len: 0>') return [];
  return [
    {
      level: env === 'local' || env === 'unittest' ? 'warning' : 'error',
      what: 'config.keys is not set: cookies cannot be signed, and sessions fail',
      where: 'config/config.default',
      fix: `exports.keys = process.env.APP_KEYS; with a value of node -p "crypto.randomBytes(24).toString('base64url')"`,
    },
  ];
}

/** Keys that the app sets, and for which there is neither a built-in nor code that names them. */
function checkUnread({ app, clutch, code }: ConfigFacts): Finding[] {
  const findings = new Map<string, Finding>();
  const plugins = new Set(app.plugins.map(({ name }) => name));
  const middleware = namesIn(app, ['middleware', 'coreMiddleware']);
  for (const { key, sources } of app.config) {
    if (sources.some(({ file }) => isInside(file, clutch))) continue;
    const [top = '', second] = key.split('.');
    const where = sources.at(-1)?.file ?? '';
    const known = Object.hasOwn(CONFIG_KEYS, top) ? CONFIG_KEYS[top] : undefined;
    if (known === '*') continue;
    if (known === undefined) {
      if (plugins.has(top) || middleware.has(top) || names(code, top)) continue;
      findings.set(top, unread(top, where, nearest(top, Object.keys(CONFIG_KEYS))));
    } else if (second !== undefined && ![...known, ...EVERYWHERE].includes(second) && !names(code, second)) {
      const meant = nearest(second, known);
      findings.set(`${top}.${second}`, unread(`${top}.${second}`, where, meant && `${top}.${meant}`));
    }
  }
  return [...findings.values()];
}

/** Names in lists of the config: each entry of a list is shown in its order. */
function namesIn(app: LoadedApp, keys: string[]): Set<string> {
  const values = app.config.filter(({ key }) => keys.includes(key)).map(({ value }) => value);
  return new Set(values.flat().filter((value) => typeof value === 'string'));
}

function names(code: string, key: string): boolean {
  return new RegExp(`(?<![\\w$])${key.replace(/[^\w]/g, '\\$&')}(?![\\w$])`).test(code);
}

function unread(key: string, where: string, meant: string | undefined): Finding {
  return {
    level: 'warning',
    what: `nothing reads config.${key}${meant ? `: did you mean ${meant}?` : ''}`,
    where,
    fix: meant ? `Write ${meant}, or remove it.` : 'Remove it, or correct its name.',
  };
}
