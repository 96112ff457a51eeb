// Scaffolds the template into a temporary directory and serves it with an Agent and two workers.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const temporary = mkdtempSync(path.join(tmpdir(), 'clutch-demo-'));
const app = path.join(temporary, 'demo');
const cli = path.join(root, 'dist/cli/index.js');

function run(args, cwd) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run([path.join(root, 'scripts/build.mjs')], root);
run([cli, 'init', app], temporary);
// In place of `npm install`: the app takes what this checkout has.
const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
  readFileSync(path.join(app, 'package.json'), 'utf8'),
);
for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
  const link = path.join(app, 'node_modules', name);
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync(name === 'koa-clutch' ? root : path.join(root, 'node_modules', name), link, 'dir');
}
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
