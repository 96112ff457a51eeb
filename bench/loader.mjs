// How loading grows with the size of an app: `node bench/loader.mjs`. Each figure is the median of fresh processes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateApp } from './app_generator.mjs';

const ROUNDS = 9;
const FULL = { controllers: 300, services: 300, plugins: 30, leaves: 1000 };
const parts = [0, 1 / 4, 1 / 2, 1];
const dist = new URL('../dist/index.js', import.meta.url).href;

const MEASURE = `
import { Application } from '${dist}';
const begin = performance.now();
const app = new Application({ baseDir: process.argv[1], env: 'unittest', mode: 'single' });
const loaded = performance.now() - begin;
const contexts = 20000;
for (let i = 0; i < contexts; i += 1) app.createAnonymousContext().service;
const start = performance.now();
for (let i = 0; i < contexts; i += 1) app.createAnonymousContext().service;
const context = ((performance.now() - start) / contexts) * 1000;
console.log(JSON.stringify({ loaded, context }));
process.exit(0);
`;

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const temporary = mkdtempSync(path.join(tmpdir(), 'clutch-bench-'));
const apps = parts.map((part) => {
  const dir = path.join(temporary, `app-${part}`);
  generateApp(dir, Object.fromEntries(Object.entries(FULL).map(([key, count]) => [key, Math.round(count * part)])));
  return { part, dir, loaded: [], context: [] };
});
for (let round = 0; round < ROUNDS; round += 1) {
  for (const app of apps) {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', MEASURE, app.dir], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('..', import.meta.url)),
    });
    if (!stdout) throw new Error(stderr);
    const { loaded, context } = JSON.parse(stdout);
    app.loaded.push(loaded);
    app.context.push(context);
  }
}
rmSync(temporary, { recursive: true, force: true });
const [empty] = apps;
const base = median(empty.loaded);
console.log(
  '| size (1 = 300 controllers, 300 services, 30 plugins, 1,000 leaves) | load | above empty, per unit of size | context with service, µs |',
);
console.log('|---|---|---|---|');
for (const { part, loaded, context } of apps) {
  const time = median(loaded);
  const perUnit = part === 0 ? '–' : `${((time - base) / part).toFixed(0)} ms`;
  console.log(`| ${part} | ${time.toFixed(0)} ms | ${perUnit} | ${median(context).toFixed(2)} |`);
}
