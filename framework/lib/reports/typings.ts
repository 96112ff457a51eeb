import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type CaseStyle, moduleFiles, propertyNames } from '../../../loader/index.js';
import { localPlugins } from './local_plugins.js';

type Tree = Map<string, Tree | string>;

/** What `clutch types` has found of one generated file. */
interface GeneratedFile {
  file: string;
  /** Whether it was, or with `check` is, another text than the app's files yield; a file too many has no text. */
  old: boolean;
  /** Files of the app that it does not know. */
  added: string[];
  /** Files that it names and that are gone. */
  removed: string[];
}

/**
 * Writes `typings/clutch.d.ts`, so that services, controllers, jobs, config, extends and middleware of an app and of plugins in its directory
 * are typed without casts, and for TypeScript `typings/clutch_files.ts`, which does not compile when one of their files is gone. Reads
 * names of files and each package.json below the app; nothing of the app is run.
 *
 * @param check whether nothing is written
 */
export function writeTypings(baseDir: string, { check = false } = {}): GeneratedFile[] {
  const files = conventionFiles(baseDir);
  const isTypeScript = existsSync(path.join(baseDir, 'tsconfig.json'));
  const texts = {
    'clutch.d.ts': declarationsOf(baseDir, files),
    'clutch_files.ts': isTypeScript ? importsOf(files) : undefined,
  };
  return Object.entries(texts).flatMap(([name, text]) => {
    const file = path.join(baseDir, 'typings', name);
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    if (before === undefined && text === undefined) return [];
    const old = before !== text;
    if (old && !check) write(file, text);
    const [known, wanted] = [modulesIn(before), modulesIn(text)];
    const added = wanted.filter((each) => !known.includes(each));
    return [{ file, old, added, removed: known.filter((each) => !wanted.includes(each)) }];
  });
}

function write(file: string, text: string | undefined): void {
  if (text === undefined) {
    rmSync(file);
    return;
  }
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** @returns files of the app that a generated text imports, without their extensions */
function modulesIn(text = ''): string[] {
  return [...text.matchAll(/'\.\.\/(.+?)\.[cm]?js'/g)].map(([, file]) => file as string);
}

/**
 * With `skipLibCheck` the compiler reports nothing in declaration files, and what they import from a file that is gone is `any`. In this
 * file it is an error. JavaScript has no types to import.
 */
function importsOf({ trees, extensions }: ConventionFiles): string {
  const files = [
    ...trees.flatMap(({ dir, files }) => files.map((file) => `${dir}/${file}`)),
    ...extensions.map(({ file }) => file),
  ];
  const imports = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `import type {} from '../${compiledName(file)}';`);
  return `${HEAD}// A file that is not found here is gone: run \`clutch types\`.\n${[...imports, 'export {};'].join('\n')}\n`;
}

const HEAD = '// Written by `clutch types`; changes are lost.\n';

/** Interfaces whose members are the files below a directory, and what a file's type becomes. Controllers are the app's only. */
const TREES = [
  ['IService', 'Loaded', 'app/service'],
  ['IController', 'LoadedController', 'app/controller'],
  ['IMiddleware', 'LoadedMiddleware', 'app/middleware'],
  ['IJobs', 'LoadedJob', 'app/job'],
] as const;

/** Interfaces that one file adds to. */
const EXTENSIONS = [
  ['ContextExtension', 'Loaded', 'app/extend', 'context'],
  ['ApplicationExtension', 'Loaded', 'app/extend', 'application'],
  ['IHelper', 'Loaded', 'app/extend', 'helper'],
  ['Request', 'Loaded', 'app/extend', 'request'],
  ['Response', 'Loaded', 'app/extend', 'response'],
  ['Agent', 'Loaded', 'app/extend', 'agent'],
  ['AppConfig', 'LoadedConfig', 'config', 'config.default'],
] as const;

/** The files of an app and its local plugins that types come from, from the root of the app. */
interface ConventionFiles {
  trees: { interfaceName: string; helper: string; dir: string; files: string[] }[];
  extensions: { interfaceName: string; helper: string; file: string }[];
}

function conventionFiles(baseDir: string): ConventionFiles {
  const plugins = localPlugins(baseDir);
  const trees = TREES.flatMap(([interfaceName, helper, sub]) =>
    // As they are loaded: the app's own come last and replace those of plugins.
    [...(interfaceName === 'IController' ? [] : plugins), '']
      .map((unit) => path.posix.join(unit, sub))
      .map((dir) => ({ interfaceName, helper, dir, files: moduleFiles(path.join(baseDir, dir)) })),
  );
  const extensions = EXTENSIONS.flatMap(([interfaceName, helper, sub, name]) =>
    // Of two interfaces with the same member, the compiler takes the one that is extended first.
    ['', ...plugins].flatMap((unit) => {
      const file = fileNamed(baseDir, path.posix.join(unit, sub), name);
      if (!file) return [];
      // What plugins declare is known to the app's own config, which may set parts of it.
      const isPluginConfig = unit !== '' && interfaceName === 'AppConfig';
      return isPluginConfig
        ? { interfaceName: 'KnownConfig', helper: 'Loaded', file }
        : { interfaceName, helper, file };
    }),
  );
  return { trees, extensions };
}

function declarationsOf(baseDir: string, { trees, extensions }: ConventionFiles): string {
  const blocks = [
    ...TREES.map(([name]) =>
      treeInterface(
        name,
        baseDir,
        trees.filter(({ interfaceName }) => interfaceName === name),
      ),
    ),
    ...extensions.map(
      ({ interfaceName, helper, file }) => `interface ${interfaceName} extends ${importType(helper, file)} {}`,
    ),
  ].filter(Boolean);
  const helpers = ['Loaded', 'LoadedConfig', 'LoadedController', 'LoadedJob', 'LoadedMiddleware'].filter((helper) =>
    blocks.some((block) => block.includes(`${helper}<`)),
  );
  const used = helpers.length > 0 ? `import type { ${helpers.join(', ')} } from 'koa-clutch';` : "import 'koa-clutch';";
  const body = blocks.map((block) => block.replace(/^/gm, '  ')).join('\n\n');
  return `${HEAD}${used}\n\ndeclare module 'koa-clutch' {\n${body}\n}\n`;
}

function importType(helper: string, file: string): string {
  return `${helper}<typeof import('../${compiledName(file)}')>`;
}

function compiledName(file: string): string {
  return file.replace(/\.([cm]?)ts$/, '.$1js');
}

/** @returns the module file `name` of a directory, from the root of the app */
function fileNamed(baseDir: string, dir: string, name: string): string | undefined {
  const file = moduleFiles(path.join(baseDir, dir)).find((found) => found.replace(/\.[cm]?[jt]s$/, '') === name);
  return file && `${dir}/${file}`;
}

function treeInterface(interfaceName: string, baseDir: string, parts: ConventionFiles['trees']): string {
  const tree: Tree = new Map();
  for (const part of parts) addFiles(tree, baseDir, part);
  return tree.size === 0 ? '' : `interface ${interfaceName} ${members(tree)}`;
}

function addFiles(tree: Tree, baseDir: string, { helper, dir, files }: ConventionFiles['trees'][number]): void {
  const style: CaseStyle = 'lower';
  for (const file of files) {
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
}

function members(tree: Tree): string {
  const lines = [...tree].map(([name, node]) => `${name}: ${typeof node === 'string' ? node : members(node)};`);
  return `{\n${lines.join('\n').replace(/^/gm, '  ')}\n}`;
}
