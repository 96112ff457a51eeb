import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { Views } from '../../cluster/admin/page_data.js';
import { CLI, until } from '../support/apps.js';
import { helloApp, startDev } from '../support/dev.js';
import { request, requestJson } from '../support/http.js';

const run = promisify(execFile);

const SPIN = `interface Spun {
  spun: boolean;
}

/** Compiled code has this function in another place. */
export function spin(milliseconds: number): Spun {
  const end: number = Date.now() + milliseconds;
  while (Date.now() < end);
  return { spun: true };
}
`;

/** A TypeScript app in `clutch dev`, with a route that takes long. */
async function start(t: TestContext) {
  const dir = await helloApp(t, 'ts');
  writeFileSync(path.join(dir, 'app/spin.ts'), SPIN);
  writeFileSync(path.join(dir, 'app.ts'), 'export default class AppBoot {\n  async didLoad(): Promise<void> {}\n}\n');
  const file = path.join(dir, 'app/router.ts');
  const router = readFileSync(file, 'utf8').replace(
    /(=> \{\n)/,
    `$1  app.get('/spins', (ctx) => { ctx.body = spin(150); });\n`,
  );
  writeFileSync(file, `import { spin } from './spin.ts';\n${router}`);
  const dev = await startDev(t, dir, ['--port', '0', '--admin-port', '0']);
  const output = await dev.printed(/admin page: \S+/);
  return {
    url: dev.url,
    page: /admin page: (\S+)/.exec(output)?.[1] as string,
    pid: /app worker \(pid (\d+)\)/.exec(output)?.[1] as string,
    clutch: (...args: string[]) =>
      run(process.execPath, [CLI, ...args, dir], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } }),
  };
}

test('clutch trace names the lines of the TypeScript that ran, and the sources of Clutch', async (t) => {
  const { url, pid, clutch } = await start(t);
  let isOver = false;
  const traced = clutch('trace', pid, '--slow', '100ms', '--for', '3s').finally(() => {
    isOver = true;
  });
  while (!isOver) await request(`${url}/spins`);
  const { stdout } = await traced;
  // V8 may have inlined it into its caller.
  assert.match(stdout, /at (?:spin \(app\/spin\.ts:6|\(anonymous\) \(app\/router\.ts:5):\d+\)/);
  assert.match(stdout, /\(koa-clutch\/core\/\S+\.ts:\d+:\d+\)/);
  assert.doesNotMatch(stdout, /\/dist\/(?:chunks|core)\//);
});

test('clutch logs has what the Master of clutch dev reports; --trace says why nothing is found', async (t) => {
  const { clutch } = await start(t);
  const { stdout } = await clutch('logs');
  assert.match(stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO \d+ \[master\] \S+ started on http/m);
  assert.match((await clutch('logs', '--process', 'master')).stdout, /started on http/);
  const none = await clutch('logs', '--trace', 'abc');
  assert.equal(none.stdout, '');
  assert.match(none.stderr, /No entry has the trace id abc\. .*telemetry/);
});

test('the view Boot of a TypeScript app names its files as they are', async (t) => {
  const { page } = await start(t);
  const { steps } = await until('the worker has written it', async () => {
    const boots = await requestJson<Views['boot']>(`${page}/api/views/boot`);
    return boots.find(({ kind }) => kind === 'app worker');
  });
  const own = steps.flatMap(({ name, file = '' }) => (/^app\.[jt]s/.test(file) ? [`${name} in ${file}`] : []));
  assert.deepEqual(own, ['Load app.ts in app.ts', 'didLoad in app.ts:2']);
});
