import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../support/apps.js';
import { loadApp } from '../support/loaded_app.js';

/** Writes packages below one directory; @returns the directory */
function tree(t: TestContext, packages: Record<string, string>): string {
  const root = temporaryDirectory(t);
  for (const [dir, text] of Object.entries(packages)) {
    mkdirSync(path.join(root, dir), { recursive: true });
    writeFileSync(path.join(root, dir, 'package.json'), text);
  }
  return root;
}

const PLUGIN = '{ "name": "egg-p", "eggPlugin": { "name": "p" }, "exports": "./index.js" }';
const USE = 'exports.p = { package: "egg-p" };';

function pluginOf(t: TestContext, root: string, app: string): string | undefined {
  mkdirSync(path.join(root, app, 'config'), { recursive: true });
  writeFileSync(path.join(root, app, 'config/plugin.js'), USE);
  return loadApp(t, {}, { baseDir: path.join(root, app) }).plugins['p']?.path;
}

test('a package is found in node_modules of the app and of directories above it, though exports hides its package.json', (t) => {
  const root = tree(t, { 'apps/one': '{ "name": "one" }', 'node_modules/egg-p': PLUGIN });
  assert.equal(pluginOf(t, root, 'apps/one'), path.join(root, 'node_modules/egg-p'));
});

test('a package is found beside the app, as pnpm lays out the dependencies of a framework', (t) => {
  const root = tree(t, { 'store/node_modules/one': '{ "name": "one" }', 'store/node_modules/egg-p': PLUGIN });
  assert.equal(pluginOf(t, root, 'store/node_modules/one'), path.join(root, 'store/node_modules/egg-p'));
});

const BROKEN: [text: string, message: RegExp][] = [
  ['{', /egg-p\/package\.json is not valid JSON/],
  ['[]', /egg-p\/package\.json does not hold an object/],
];

for (const [text, message] of BROKEN) {
  test(`package.json of a plugin with ${text} is refused with its path`, (t) => {
    const root = tree(t, { one: '{ "name": "one" }', 'one/node_modules/egg-p': text });
    assert.throws(() => pluginOf(t, root, 'one'), { code: 'ERR_CLUTCH_PACKAGE', message });
  });
}

test('package.json that is a directory cannot be read', (t) => {
  const root = temporaryDirectory(t);
  mkdirSync(path.join(root, 'package.json'));
  assert.throws(() => loadApp(t, {}, { baseDir: root }), {
    code: 'ERR_CLUTCH_PACKAGE',
    message: /package\.json cannot be read\n {2}EISDIR/,
  });
});

test("an app whose packages are in Yarn's Plug'n'Play is refused with what to write", (t) => {
  const root = tree(t, { 'apps/shop': '{ "name": "shop" }' });
  writeFileSync(path.join(root, '.pnp.cjs'), '');
  const baseDir = path.join(root, 'apps/shop');
  assert.throws(() => loadApp(t, {}, { baseDir }), {
    code: 'ERR_CLUTCH_PACKAGE',
    message: /Plug'n'Play is not supported[\s\S]*\.pnp\.cjs\n[\s\S]*nodeLinker: node-modules/,
  });
  mkdirSync(path.join(baseDir, 'node_modules'));
  loadApp(t, {}, { baseDir });
});
