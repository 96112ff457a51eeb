import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { isAlive, ROOT, temporaryDirectory, until } from '../support/apps.js';
import { Edits } from '../support/edits.js';
import { freePort, request } from '../support/http.js';
import { blocksOf } from '../support/page.js';

const run = promisify(execFile);

test('the packed tarball makes apps that install and pass their tests, and every command of the quick start runs', async (t) => {
  const dir = temporaryDirectory(t);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, EGG_HOME: dir };
  const npm = (cwd: string, ...args: string[]) =>
    run('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], { cwd, env });

  // dist is built: packing must not build it again under the tests that use it.
  const pack = async (from: string): Promise<string> => {
    const { stdout } = await npm(from, 'pack', '--ignore-scripts', '--json', '--pack-destination', dir);
    const packed = JSON.parse(stdout) as { filename: string }[] | Record<string, { filename: string }>;
    const [{ filename }] = Object.values(packed) as [{ filename: string }];
    return path.join(dir, filename);
  };
  const host = path.join(dir, 'host');
  mkdirSync(host);
  writeFileSync(path.join(host, 'package.json'), '{ "name": "host", "private": true }');
  await npm(host, 'install', await pack(ROOT), await pack(path.join(ROOT, 'create-koa-clutch')));
  const create = ['create', '--offline', 'koa-clutch', '../created', '--', '--js', '--port', '8123'];
  const { stdout: made } = await run('npm', create, { cwd: host, env });
  assert.match(made, /Made \.\.\/created\./);
  assert.match(readFileSync(path.join(dir, 'created/config/config.default.js'), 'utf8'), /port: 8123 /);
  await npm(path.join(dir, 'created'), 'install');
  assert.match((await npm(path.join(dir, 'created'), 'test')).stdout, /pass 7/);

  const app = await followQuickStart(t, host, env);
  assert.match((await npm(app, 'test')).stdout, /pass 9/);
  for (const made of [app, path.join(dir, 'created')]) {
    const { dependencies } = JSON.parse(readFileSync(path.join(made, 'package.json'), 'utf8'));
    assert.match(dependencies['koa-clutch'], /^file:.*koa-clutch-\S+\.tgz$/, made);
  }
});

/**
 * Runs the commands of the quick start as they are printed, but on free ports, and writes its files, in the order of the page.
 *
 * @returns directory of the app
 */
async function followQuickStart(t: TestContext, start: string, env: NodeJS.ProcessEnv): Promise<string> {
  const ports: Record<string, number> = { 7001: await freePort(), 8080: await freePort() };
  const onFreePorts = (text: string): string => text.replace(/\b(?:7001|8080)\b/g, (port) => String(ports[port]));
  let cwd = start;
  let dev: ChildProcess | undefined;
  /** As Ctrl-C does, which reaches all processes of the terminal. */
  const stopDev = async (): Promise<void> => {
    if (dev?.pid === undefined || dev.exitCode !== null || dev.signalCode !== null) return;
    process.kill(-dev.pid, 'SIGINT');
    await once(dev, 'exit');
  };
  t.after(stopDev);

  const outputs: Record<string, string> = {};
  t.after(() => {
    const pid = Number(/, pid (\d+)/.exec(outputs['npx clutch start'] ?? '')?.[1]);
    if (pid && isAlive(pid)) process.kill(pid);
  });
  const follow = async (command: string): Promise<void> => {
    const [program = '', ...args] = command.split(' ');
    if (program === 'cd') {
      cwd = path.join(cwd, args[0] as string);
      new Edits(cwd).replace('config/config.default.ts', '7001', String(ports[7001]));
    } else if (command === 'npm run dev') {
      dev = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
      let output = '';
      dev.stdout?.on('data', (chunk: Buffer) => (output += String(chunk)));
      await until('clutch dev serves', () => /started on \S+/.test(output), 60_000);
    } else if (program === 'curl') {
      const wanted = '{"title":"The Left Hand of Darkness"}';
      await until(command, async () => (await request(args[0] as string).catch(() => undefined))?.body === wanted);
    } else {
      if (command === 'npx clutch build') await stopDev();
      outputs[command.replace(/ --.*/, '')] = (await run(program, args, { cwd, env })).stdout;
    }
  };
  for (const { language, file, code } of blocksOf('docs/quick-start.md')) {
    if (language === 'sh') for (const command of code.trim().split('\n')) await follow(onFreePorts(command));
    // The page shows the line that the router gets.
    else if (file === 'app/router.ts')
      new Edits(cwd).replace(file, '\n};', `\n${/^ {2}app\..*$/m.exec(code)?.[0]}\n};`);
    else if (file) new Edits(cwd).write(file, code);
  }
  assert.match(outputs['npx koa-clutch init my-app'] ?? '', /Made my-app/);
  assert.match(outputs['npx clutch test'] ?? '', /pass 9\n/);
  assert.match(outputs['npx clutch start'] ?? '', new RegExp(`started on \\S+:${ports[8080]}`));
  assert.match(outputs['npx clutch status'] ?? '', /app worker/);
  assert.match(outputs['npx clutch stop'] ?? '', /stopped, pid/);
  return cwd;
}
