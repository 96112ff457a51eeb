// Prints how long the template's app takes to boot for a test, with the test kit, in fresh processes: node bench/template_boot.mjs [rounds]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeTemplateApp } from '../scripts/template_app.mjs';

const rounds = Number(process.argv[2] ?? 9);
const temporary = mkdtempSync(path.join(tmpdir(), 'clutch-boot-'));
const app = path.join(temporary, 'app');
const SCRIPT = `
  const begin = performance.now();
  const { app } = await import('koa-clutch/mock');
  const imported = performance.now();
  await app().ready();
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify([imported - begin, performance.now() - imported, (user + system) / 1000]));
  process.exit();`;

try {
  makeTemplateApp(app, ['--js']);
  const runs = Array.from({ length: rounds }, () =>
    JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT], {
        cwd: app,
        encoding: 'utf8',
        stdio: 'pipe',
      }),
    ),
  );
  ['import of the test kit', 'boot of the app', 'processor time of all'].forEach((what, index) => {
    const sorted = runs.map((run) => run[index]).sort((one, other) => one - other);
    console.log(`${what}: median ${sorted[rounds >> 1].toFixed(0)} ms, least ${sorted[0].toFixed(0)} ms`);
  });
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
