// Every key that a built-in has in its default config, or declares in the type of its config, is read by some code: what an app
// sets and `clutch config` shows must have an effect.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/apps.js';

/** Keys that a library reads, by its file. */
const HANDED_ON: Record<string, string[]> = {
  'qs/lib/parse.js': ['arrayLimit', 'parameterLimit'],
  '@koa/cors/index.js': [
    'allowMethods',
    'allowHeaders',
    'exposeHeaders',
    'keepHeadersOnError',
    'secureContext',
    'privateNetworkAccess',
  ],
};

/** Keys that code makes or finds in a list, so that it does not name them in the ways that are looked for. */
const COMPUTED = new Set([
  // `${kind}Limit` of the body parser.
  ...['formLimit', 'jsonLimit', 'textLimit', 'rawLimit'],
  // Security headers, which are a table by the key.
  ...['xframe', 'hsts', 'xssProtection'],
  // Misspellings that are warned about.
  ...['bodyparser', 'notFound', 'sitefile', 'httpClient'],
]);

const ROOMS = ['cluster', 'core', 'framework', 'leader', 'loader', 'output', 'plugins'];

const sources = ROOMS.flatMap((room) =>
  readdirSync(path.join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file: `${room}/${file}`, text: readFileSync(path.join(ROOT, room, file), 'utf8') })),
).map(({ file, text }) => ({ file, text: text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g, '') }));

const INTERFACE =
  /^(?:export |declare )*(?:interface \w+[^{]*|type \w+ = )\{[\s\S]*?^\}|^ {2}interface \w+[\s\S]*?^ {2}\}/gm;
const isDefaults = (file: string): boolean => /config\/config\.\w+\.ts$/.test(file);

const code = sources
  .filter(({ file }) => !isDefaults(file))
  .map(({ text }) => text.replace(INTERFACE, ''))
  .join('\n');

/** Whether code has `a.key`, `a['key']`, `{ key } = a`, or the name in a list. */
const isRead = (key: string): boolean =>
  new RegExp(`\\.${key}\\b|['"]${key}['"]|[{,]\\s*${key}(?:: \\w+)?\\s*(?:=[^>]*)?[,}]`).test(code);

/** Keys of default configs, and of types that are called after the config that they describe. */
function declaredKeys(): Map<string, string> {
  const keys = new Map<string, string>();
  for (const { file, text } of sources) {
    const types = [...text.matchAll(/interface \w*Config\b[^{]*\{[\s\S]*?^ {0,2}\}/gm)].map(([block]) => block);
    const texts = isDefaults(file) ? [text] : types;
    for (const [, key] of texts.join('\n').matchAll(/(?<![\w.'"[])([a-z]\w*)\??:(?!:)/gi)) {
      if (key !== undefined) keys.set(key, file);
    }
  }
  return keys;
}

test('each config key of the framework and its plugins is read by some code', () => {
  const keys = declaredKeys();
  assert.ok(keys.size > 150, `${keys.size} keys`);
  const known = new Set([...COMPUTED, ...Object.values(HANDED_ON).flat()]);
  const unread = [...keys].filter(([key]) => !isRead(key) && !known.has(key));
  assert.deepEqual(unread, []);
});

for (const [file, handed] of Object.entries(HANDED_ON)) {
  test(`${file} reads the keys that are handed on to it`, () => {
    const text = readFileSync(path.join(ROOT, 'node_modules', file), 'utf8');
    for (const key of handed) assert.ok(text.includes(key), key);
  });
}

test('no key is excused that is read, or that is not there', () => {
  const keys = declaredKeys();
  for (const key of COMPUTED) assert.ok(keys.has(key) && !isRead(key), key);
});
