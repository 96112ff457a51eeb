// Builds dist/: types with tsc, code with esbuild. A process loads a dozen files instead of seventy, which is
// a sixth of the start of a cluster on Node 20: it takes about a millisecond for each ES module.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { globbySync } from 'globby';
import { buildPage } from './build_page.mjs';
import { pruneDeclarations, shortenMap } from './published_files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');

/** Files that exist by themselves: they are imported, run, required late or found by the loader under their names. */
const ENTRIES = [
  'index.ts',
  'errors.ts',
  'urllib.ts',
  '{cli,cluster,core,framework,loader,telemetry}/index.ts',
  'cluster/worker/{agent,app}_worker.ts',
  'cluster/inspect/{inspect,repl}_worker.ts',
  'cli/process/load_typescript.ts',
  'cli/doctor/egg/boot_process.ts',
  'cli/dev/dev_master.ts',
  'mock/{index,bootstrap,bootstrap_kit}.ts',
  'mock/cluster/{master_process,faults}.ts',
  'core/router/router.ts',
  'framework/lib/httpclient/http_client.ts',
  'framework/lib/http/cookies.ts',
  // What a built-in plugin requires late.
  'plugins/*/lazy/**/*.ts',
  'leader/clients_of.ts',
];

/**
 * Convention files of the framework and its plugins, which the loader finds by name. They are in two files, one for each kind of
 * process, since a process would take a millisecond for each; under their own names there is a stub.
 */
const CONVENTIONS = globbySync(
  ['framework/{app,config}/**/*.ts', 'plugins/*/{app,agent}.ts', 'plugins/*/{app,config}/**/*.ts'],
  { cwd: root },
).sort();
const OF_AGENT = /\/(?:agent\.ts|config\/.*|app\/schedule\/.*|app\/extend\/agent[\w.]*)$/;
const BUILT_IN = {
  app: CONVENTIONS.filter((file) => !/\/(?:agent|extend\/agent)\.ts$/.test(file)),
  agent: CONVENTIONS.filter((file) => OF_AGENT.test(file)),
};

/**
 * Small modules that most processes load. Each entry imports them all, so that esbuild puts them into one chunk: otherwise it makes one for
 * each set of entries that share a module, which are dozens of a few lines, and each takes Node 20 time.
 */
const COMMON = globbySync(['errors.ts', '{ipc,output,resolve,tracing,cluster/protocol}/*.ts', '!**/*.d.ts'], {
  cwd: root,
}).sort();

// With --code, only the code is written, over what is there: for one test after an edit.
if (!process.argv.includes('--code')) {
  for (const dir of [dist, path.join(root, '.test')]) rmSync(dir, { recursive: true, force: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '--emitDeclarationOnly'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const declarations = JSON.stringify(exports).match(/(?<="\.\/)dist\/[^"]+\.d\.ts(?=")/g);
  pruneDeclarations(
    dist,
    declarations.map((file) => path.join(root, file)),
  );
}

const entries = globbySync(ENTRIES, { cwd: root }).sort();
const { metafile, outputFiles } = await build({
  entryPoints: [
    ...entries.map((file) => ({ in: file, out: file.replace(/\.ts$/, '') })),
    ...Object.keys(BUILT_IN).map((kind) => ({ in: `built-in:${kind}`, out: `built_in/${kind}` })),
  ],
  absWorkingDir: root,
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  // White space only: names of functions stay, for stacks and for who reads them. Lines stay short, since Node prints the line of an
  // error that nobody caught.
  minifyWhitespace: true,
  lineLimit: 120,
  metafile: true,
  // Linked, so that a stack under --enable-source-maps names the source file; the code itself is not in the package.
  sourcemap: 'linked',
  sourcesContent: false,
  write: false,
  logLevel: 'warning',
  plugins: [
    { name: 'built-in', setup: gatherBuiltIn },
    { name: 'common', setup: gatherCommon },
    { name: 'own-places', setup: keepOwnPlaces },
  ],
});

const [home] = Object.entries(metafile.outputs).find(([, { inputs }]) => 'dist-root:dist-root' in inputs) ?? [];
if (path.dirname(home ?? '') !== 'dist/chunks') throw new Error(`import.meta is taken from ${home}, not from a chunk`);
writeOutputs();
await buildPage(root);
for (const [kind, files] of Object.entries(BUILT_IN)) for (const file of files) writeStub(kind, file);

// The rest of a plugin: its package.json with `eggPlugin`, and templates; and CommonJS.
for (const file of globbySync(['plugins/**/*', '!plugins/**/*.ts', 'mock/*.{cjs,d.cts}'], { cwd: root })) {
  cpSync(path.join(root, file), path.join(dist, file), { recursive: true });
}

/** Makes a module of all convention files of one kind of process: what each exports, by the name that it has in dist/. */
function gatherBuiltIn({ onLoad, onResolve }) {
  onResolve({ filter: /^built-in:/ }, ({ path: name }) => ({ path: name.split(':')[1], namespace: 'built-in' }));
  onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path: kind }) => {
    const files = BUILT_IN[kind];
    const imports = files.map((file, index) => `import m${index} from './${file}';`);
    const entries = files.map((file, index) => `${JSON.stringify(file.replace(/\.ts$/, '.js'))}: m${index},`);
    return { contents: [...imports, 'export default {', ...entries, '};'].join('\n'), resolveDir: root };
  });
}

function gatherCommon({ onLoad, onResolve }) {
  onResolve({ filter: /^common$/ }, () => ({ path: 'common', namespace: 'common' }));
  onLoad({ filter: /.*/, namespace: 'common' }, () => ({
    contents: COMMON.map((file) => `import './${file}';`).join('\n'),
    resolveDir: root,
  }));
}

function writeStub(kind, file) {
  const name = file.replace(/\.ts$/, '.js');
  const target = path.join(dist, name);
  const from = path.relative(path.dirname(target), path.join(dist, 'built_in', `${kind}.js`)).replaceAll(path.sep, '/');
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(
    target,
    `import modules from ${JSON.stringify(from)};\nexport default modules[${JSON.stringify(name)}];\n`,
  );
}

/** A module that has moved into another file still finds what lies beside it under its own name. */
function keepOwnPlaces({ onLoad, onResolve }) {
  onResolve({ filter: /^dist-root$/ }, ({ path: name }) => ({ path: name, namespace: name }));
  onLoad({ filter: /.*/, namespace: 'dist-root' }, () => ({
    contents: `
      import path from 'node:path';
      import { fileURLToPath } from 'node:url';
      export const distRoot = new URL('..', import.meta.url);
      export const directoryOf = (url) => path.dirname(fileURLToPath(url));`,
    resolveDir: root,
  }));
  onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
    let source = readFileSync(file, 'utf8');
    if (entries.includes(path.relative(root, file))) source = `${source}\nimport 'common';`;
    else if (!source.includes('import.meta')) return undefined;
    const url = `new URL('${path.relative(root, file).replaceAll(path.sep, '/').replace(/\.ts$/, '.js')}', distRoot)`;
    const contents = source
      .replaceAll('import.meta.dirname', `directoryOf(${url})`)
      .replaceAll('import.meta.url', `${url}.href`);
    return { contents: `${contents}\nimport { directoryOf, distRoot } from 'dist-root';`, loader: 'ts' };
  });
}

/** Writes what was built, each shared chunk under the name of the room that most of its code is from. */
function writeOutputs() {
  const names = chunkNames();
  const renamed = (text) => text.replace(/[\w.-]+-[A-Z0-9]{8}\.js/g, (name) => names.get(name) ?? name);
  for (const { path: file, text } of outputFiles) {
    const target = path.join(path.dirname(file), renamed(path.basename(file)));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, file.endsWith('.map') ? shortenMap(text) : renamed(text));
  }
  // npm does so when it installs, and not after a later build of a linked directory.
  chmodSync(path.join(dist, 'cli/index.js'), 0o755);
}

/** @returns esbuild's name of each chunk → `<room>.js`, or `<room>-<file>.js` for one that is imported late; with a number where there are several */
function chunkNames() {
  const names = new Map();
  const taken = new Map();
  for (const [file, { inputs }] of Object.entries(metafile.outputs).sort()) {
    if (path.dirname(file) !== 'dist/chunks' || !file.endsWith('.js')) continue;
    const own = path.basename(file).replace(/-[A-Z0-9]{8}\.js$/, '');
    const name = own === 'chunk' ? roomOf(inputs) : `${roomOf(inputs)}-${own}`;
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    names.set(path.basename(file), count === 1 ? `${name}.js` : `${name}-${count}.js`);
  }
  return names;
}

function roomOf(inputs) {
  const bytes = new Map();
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
    const [room, folder] = path.dirname(file).split('/');
    const name = room === 'cluster' && folder ? `cluster-${folder}` : room === '.' ? 'shared' : room;
    bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
  }
  return [...bytes].sort(([, a], [, b]) => b - a)[0]?.[0].replace(/\W/g, '-') ?? 'shared';
}
