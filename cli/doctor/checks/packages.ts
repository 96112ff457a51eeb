import { existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { readPackageIfExists } from '../../../resolve/package.js';
import type { Finding } from '../finding.js';

/** A package on disk. */
export interface PackageCopy {
  /** Of its package.json. */
  name: string;
  version: string;
  dir: string;
}

/** Packages of which a second copy has classes and symbols of its own; those of Egg are called so, or stand for Clutch. */
const SINGLE = ['koa', 'koa-clutch', 'egg', 'egg-core', '@eggjs/core'];

/** Directories of `node_modules` that are looked into, at most: a tree is not read for ever. */
const MOST_DIRECTORIES = 20_000;

/** Finds every copy of the packages that an app must have once: those it can reach, and those of its packages. */
export function gatherPackages(baseDir: string): PackageCopy[] {
  const copies = new Map<string, PackageCopy>();
  const seen = new Set<string>();
  const pending = ancestors(baseDir).map((dir) => path.join(dir, 'node_modules'));
  for (let modules = pending.pop(); modules !== undefined && seen.size < MOST_DIRECTORIES; modules = pending.pop()) {
    if (seen.has(modules) || !existsSync(modules)) continue;
    seen.add(modules);
    for (const name of SINGLE) addCopy(copies, path.join(modules, name));
    for (const dir of packageDirectories(modules)) pending.push(path.join(dir, 'node_modules'));
  }
  return [...copies.values()];
}

function addCopy(copies: Map<string, PackageCopy>, at: string): void {
  if (!existsSync(path.join(at, 'package.json'))) return;
  const dir = realpathSync(at);
  const { name = path.basename(at), version = '' } = readPackageIfExists(dir) ?? {};
  copies.set(dir, { name, version, dir });
}

function ancestors(dir: string): string[] {
  const parent = path.dirname(dir);
  return parent === dir ? [dir] : [dir, ...ancestors(parent)];
}

/** Links lead to packages that are looked into where they are, or that are not part of the tree. pnpm keeps all in `.pnpm`. */
function packageDirectories(modules: string): string[] {
  return readdirSync(modules, { withFileTypes: true }).flatMap((entry) => {
    const dir = path.join(modules, entry.name);
    if (!entry.isDirectory() || (entry.name.startsWith('.') && entry.name !== '.pnpm')) return [];
    return entry.name.startsWith('@') || entry.name === '.pnpm'
      ? readdirSync(dir, { withFileTypes: true })
          .filter((below) => below.isDirectory())
          .map((below) => path.join(dir, below.name))
      : [dir];
  });
}

export function checkPackages(copies: readonly PackageCopy[]): Finding[] {
  const findings: Finding[] = [];
  for (const name of new Set(copies.map((copy) => copy.name))) {
    const same = copies.filter((copy) => copy.name === name);
    if (same.length < 2) continue;
    findings.push({
      level: name === 'koa-clutch' ? 'error' : 'warning',
      what: `${name} is installed ${same.length} times: each copy has its own classes, and \`instanceof\` fails between them`,
      where: same.map(({ version, dir }) => `${version}  ${dir}`).join('\n'),
      fix:
        name === 'koa-clutch'
          ? 'Depend on it in one place and under one name, as a peerDependency in frameworks and plugins, then npm dedupe'
          : `npm dedupe, or "overrides": { "${name}": "…" } in package.json; npm ls ${name} says who asks for which`,
    });
  }
  return [...findings, ...checkEgg(copies)];
}

function checkEgg(copies: readonly PackageCopy[]): Finding[] {
  const egg = copies.find(({ name }) => name === 'egg');
  if (!egg || !copies.some(({ name }) => name === 'koa-clutch')) return [];
  return [
    {
      level: 'warning',
      what: `Egg ${egg.version} is installed beside Clutch: what requires "egg" gets its classes, not those of the running app`,
      where: egg.dir,
      fix: 'Write "egg": "npm:koa-clutch" in the dependencies of package.json and install again.',
    },
  ];
}
