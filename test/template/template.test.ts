import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { parseAllDocuments } from 'yaml';
import { CLI, ROOT } from '../support/apps.js';
import { scaffold } from '../support/dev.js';

const { Database } = createRequire(import.meta.url)('node-sqlite3-wasm') as typeof import('node-sqlite3-wasm');

const run = promisify(execFile);
const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined };

/** @returns files of a directory that are no one else's, from there */
function filesIn(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name !== 'node_modules')
    .flatMap((name) => {
      const isFile = statSync(path.join(dir, name)).isFile();
      return isFile ? [name] : filesIn(path.join(dir, name)).map((below) => path.join(name, below));
    })
    .sort();
}

for (const flags of [[], ['--js']]) {
  test(`the tests of a new app pass: clutch init ${flags.join(' ')}`, async (t) => {
    const dir = await scaffold(t, ...flags);
    if (flags.length === 0) {
      await run(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '--noEmit'], { cwd: dir });
      const { stdout } = await run(process.execPath, [CLI, 'types', '--check'], { cwd: dir });
      assert.match(stdout, /clutch\.d\.ts is up to date/);
    }
    const { stdout } = await run(process.execPath, [CLI, 'test', dir], { env });
    assert.match(stdout, /pass 7\n/);
    assert.match(stdout, /fail 0\n/);
  });
}

// Node before 22.13 opens the file with node-sqlite3-wasm, which has no WAL.
test('the notes that were made on one version of Node can be read and written on every other', async (t) => {
  const dir = await scaffold(t, '--js');
  const script = `
    import { start } from 'koa-clutch';
    const app = await start({ baseDir: process.cwd(), env: 'local' });
    app.createAnonymousContext().service.note.create({ author: 'Ada', text: 'hello' });
    await app.close();`;
  await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: dir, env });
  const database = new Database(path.join(dir, 'data/notes.db'));
  t.after(() => database.close());
  database.exec("INSERT INTO notes (author, text, created_at) SELECT author, 'again', created_at FROM notes");
  assert.equal(database.all('SELECT text FROM notes').length, 2);
});

test('name and port of a new app are everywhere, and its YAML is valid', async (t) => {
  const dir = await scaffold(t, '--port', '8300');
  const texts = filesIn(dir).map((file) => [file, readFileSync(path.join(dir, file), 'utf8')] as const);
  for (const [file, text] of texts) {
    assert.doesNotMatch(text, /\{\{\w+\}\}|\b700[12]\b/, file);
    if (/\.ya?ml$/.test(file)) for (const { errors } of parseAllDocuments(text)) assert.deepEqual(errors, [], file);
  }
  const textOf = (wanted: string): string => texts.find(([file]) => file === wanted)?.[1] ?? '';
  assert.match(textOf('config/config.default.ts'), /port: 8300 /);
  assert.match(textOf('Dockerfile'), /"--port", "8300", "--admin-port", "8301"/);
  assert.match(textOf('deploy/kubernetes.yaml'), /name: "my-app"[\s\S]*path: \/readyz, port: 8301/);
  assert.match(textOf('deploy/app.service'), /WorkingDirectory=\/srv\/my-app/);
});

test('the template in JavaScript is that in TypeScript without its types', async () => {
  const [ts, js] = ['ts', 'js'].map((language) => path.join(ROOT, 'app-template', language)) as [string, string];
  const code = async (file: string, loader: 'ts' | 'js'): Promise<string> =>
    (await transform(readFileSync(file, 'utf8'), { loader, target: 'es2023' })).code
      .replaceAll(/^\s*\/[/*].*\n/gm, '')
      .replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"');
  const sources = filesIn(ts).filter((file) => file.endsWith('.ts'));
  // There is nothing in it but types.
  const withCode = sources.filter((file) => file !== 'app/messages.ts');
  for (const file of withCode) {
    assert.equal(
      await code(path.join(js, file.replace(/ts$/, 'js')), 'js'),
      await code(path.join(ts, file), 'ts'),
      file,
    );
  }
  const same = filesIn(js).filter((file) => /^(?:app\/(?:view|public)|deploy|compose|\.dockerignore)/.test(file));
  for (const file of same) {
    assert.equal(readFileSync(path.join(js, file), 'utf8'), readFileSync(path.join(ts, file), 'utf8'), file);
  }
});
