// Scaffolds the template into a temporary directory and serves it with an Agent and two workers.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cli, makeTemplateApp, root, run } from './template_app.mjs';

const temporary = mkdtempSync(path.join(tmpdir(), 'clutch-demo-'));
const app = path.join(temporary, 'demo');

run([path.join(root, 'scripts/build.mjs')], root);
makeTemplateApp(app);
run([cli, 'build'], app);

console.log(`\nServing ${app} with an Agent and 2 workers; Ctrl-C ends it.\n`);
const cluster = spawn(process.execPath, [cli, 'start', app, '--workers', '2'], {
  stdio: 'inherit',
  env: { ...process.env, EGG_HOME: temporary },
});
// npm may end without passing its signal on: the demo ends with npm, and with the shell that npm started.
const shell = process.ppid;
const npm = Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(shell)], { encoding: 'utf8' }).stdout);
const isGone = (pid) => {
  try {
    return pid > 1 && !process.kill(pid, 0);
  } catch (error) {
    return error.code === 'ESRCH';
  }
};
setInterval(() => {
  if (process.ppid !== shell || isGone(npm)) cluster.kill('SIGTERM');
}, 500).unref();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => cluster.kill('SIGTERM'));
cluster.on('exit', (code) => {
  rmSync(temporary, { recursive: true, force: true });
  process.exit(code ?? 1);
});
