import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type CaseStyle, moduleFiles, propertyNames } from '../../../loader/index.js';

type Tree = Map<string, Tree | string>;

/**
 * Writes `typings/clutch.d.ts`, so that services, controllers, config, extends and middleware of an app are typed
 * without casts. Reads file names only; nothing of the app is run.
 *
 * @returns the file, and whether its text has changed
 */
export function writeTypings(baseDir: string): { file: string; changed: boolean } {
  const file = path.join(baseDir, 'typings/clutch.d.ts');
  const text = typingsOf(baseDir);
  if (read(file) === text) return { file, changed: false };
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return { file, changed: true };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Which interface an extend file adds to. */
const EXTENDED: [name: string, interfaceName: string][] = [
  ['context', 'ContextExtension'],
  ['application', 'ApplicationExtension'],
  ['helper', 'IHelper'],
];

function typingsOf(baseDir: string): string {
  const blocks = [
    treeInterface('IService', 'Loaded', baseDir, 'app/service'),
    treeInterface('IController', 'LoadedController', baseDir, 'app/controller'),
    treeInterface('IMiddleware', 'LoadedMiddleware', baseDir, 'app/middleware'),
    ...EXTENDED.map(([name, interfaceName]) => extension(interfaceName, 'Loaded', baseDir, 'app/extend', name)),
    extension('AppConfig', 'LoadedConfig', baseDir, 'config', 'config.default'),
  ].filter(Boolean);
  const helpers = ['Loaded', 'LoadedConfig', 'LoadedController', 'LoadedMiddleware'].filter((helper) =>
    blocks.some((block) => block.includes(`${helper}<`)),
  );
  const used = helpers.length > 0 ? `import type { ${helpers.join(', ')} } from 'koa-clutch';` : "import 'koa-clutch';";
  const body = blocks.map((block) => block.replace(/^/gm, '  ')).join('\n\n');
  return `// Written by \`clutch types\`; changes are lost.\n${used}\n\ndeclare module 'koa-clutch' {\n${body}\n}\n`;
}

function importType(helper: string, file: string): string {
  const compiled = file.replace(/\.([cm]?)ts$/, '.$1js');
  return `${helper}<typeof import('../${compiled}')>`;
}

function extension(interfaceName: string, helper: string, baseDir: string, dir: string, name: string): string {
  const file = moduleFiles(path.join(baseDir, dir)).find((found) => found.replace(/\.[cm]?[jt]s$/, '') === name);
  return file ? `interface ${interfaceName} extends ${importType(helper, `${dir}/${file}`)} {}` : '';
}

function treeInterface(interfaceName: string, helper: string, baseDir: string, dir: string): string {
  const style: CaseStyle = 'lower';
  const tree: Tree = new Map();
  for (const file of moduleFiles(path.join(baseDir, dir))) {
    let level = tree;
    const names = propertyNames(file, style, path.join(baseDir, dir));
    const last = names.pop() as string;
    for (const name of names) {
      const below = level.get(name);
      const next: Tree = below instanceof Map ? below : new Map();
      // `foo.ts` beside `foo/`: the file's type is that of the property, which cannot be written together.
      if (typeof below !== 'string') level.set(name, next);
      level = next;
    }
    level.set(last, importType(helper, `${dir}/${file}`));
  }
  return tree.size === 0 ? '' : `interface ${interfaceName} ${members(tree)}`;
}

function members(tree: Tree): string {
  const lines = [...tree].map(([name, node]) => `${name}: ${typeof node === 'string' ? node : members(node)};`);
  return `{\n${lines.join('\n').replace(/^/gm, '  ')}\n}`;
}
