// Checks the structure that docs/architecture.md promises: which room imports which, no circle between files or
// between rooms (types included), no folder with more than twelve source files, and who may name private members of others.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const MAX_FILES = 12;

/** What each room may import, besides errors.ts and output/, which are for all. */
const FOR_ALL = ['output', 'tracing'];
const MAY_IMPORT = {
  output: [],
  tracing: [],
  telemetry: [],
  ipc: [],
  resolve: [],
  loader: ['resolve'],
  core: ['loader', 'resolve'],
  leader: ['ipc'],
  framework: ['core', 'loader', 'resolve', 'ipc', 'leader'],
  plugins: ['core', 'framework', 'ipc'],
  cluster: ['ipc', 'resolve'],
  cli: ['cluster', 'resolve'],
  mock: ['cluster', 'framework', 'core'],
  // Types only: it runs in a browser.
  page: ['cluster', 'ipc'],
};

/** Private members of Node, Koa and `@koa/router`, and the files that may name them. */
const PRIVATE =
  /\b(?:_(?:header|send|storeHeader|implicitHeader|dump|dumped|consuming|events|handle|handlers|httpMessage|hasBody|contentLength)|_(?:readable|writable)State|_expect_continue|kOutHeaders|internalMessage|_body|_explicit(?:Status|NullBody)|_matchedRoute(?:Name)?)\b/;
const MAY_NAME_PRIVATE = [
  'core/http/node_internals.ts',
  'core/request/koa_internals.ts',
  'core/router/koa_router.ts',
  'cluster/listen/node_cluster.ts',
];

const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: root,
  encoding: 'utf8',
});
const files = listed.split('\n').filter((file) => {
  const [room] = file.split('/');
  return room in MAY_IMPORT || (file.endsWith('.ts') && !file.includes('/'));
});
const known = new Set(files);
const problems = [];

/** File → files that it imports, in any way that the compiler sees. */
const imports = new Map(files.map((file) => [file, importsOf(file)]));

for (const [file, targets] of imports) {
  const room = roomOf(file);
  if (!room) continue;
  for (const target of targets) {
    const other = roomOf(target);
    if (other && other !== room && !FOR_ALL.includes(other) && !MAY_IMPORT[room].includes(other)) {
      problems.push(`${file} imports ${target}: ${room} may import ${MAY_IMPORT[room].join(', ') || 'no other room'}`);
    }
  }
}

for (const file of files.filter((each) => roomOf(each) && !MAY_NAME_PRIVATE.includes(each))) {
  const [name] = PRIVATE.exec(readFileSync(path.join(root, file), 'utf8')) ?? [];
  if (name) problems.push(`${file} names the private member ${name}: only ${MAY_NAME_PRIVATE.join(', ')} may`);
}

for (const circle of circles(imports)) problems.push(`files import each other in a circle: ${circle.join(', ')}`);

for (const room of Object.keys(MAY_IMPORT)) {
  const folders = new Map();
  for (const [file, targets] of imports) {
    if (roomOf(file) !== room) continue;
    const from = path.dirname(file);
    const reached = folders.get(from) ?? new Set();
    for (const target of targets) {
      const to = path.dirname(target);
      // The files at the top of a room put its folders together; an arrow to them is a circle of files, seen above.
      if (roomOf(target) === room && to !== from && from !== room && to !== room) reached.add(to);
    }
    folders.set(from, reached);
  }
  for (const circle of circles(folders)) problems.push(`folders import each other in a circle: ${circle.join(', ')}`);
}

const perFolder = Map.groupBy?.(files, path.dirname) ?? groupByFolder();
for (const [folder, inside] of perFolder) {
  if (inside.length > MAX_FILES)
    problems.push(`${folder}/ holds ${inside.length} source files, more than ${MAX_FILES}`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`${files.length} source files: arrows, circles and folder sizes are as docs/architecture.md says`);

function importsOf(file) {
  const source = readFileSync(path.join(root, file), 'utf8');
  const found = source.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*'(\.{1,2}\/[^']+)\.js'/g);
  const targets = [...found].flatMap(([, specifier]) =>
    ['.ts', '.tsx'].map((extension) => path.join(path.dirname(file), specifier + extension)),
  );
  return [...new Set(targets.filter((target) => known.has(target)))];
}

function roomOf(file) {
  const [room] = file.split('/');
  return room in MAY_IMPORT ? room : undefined;
}

function groupByFolder() {
  const groups = new Map();
  for (const file of files) groups.set(path.dirname(file), [...(groups.get(path.dirname(file)) ?? []), file]);
  return groups;
}

/** @returns the sets of nodes that reach one another (Tarjan's strongly connected components of more than one node) */
function circles(graph) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const found = [];
  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    if (component.length > 1) found.push(component.sort());
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}
