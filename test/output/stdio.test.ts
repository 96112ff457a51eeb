import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, temporaryDirectory } from '../support/apps.js';

test('a package behind a symlink, as pnpm has them, finds its dependencies after the process has printed to a pipe', (t) => {
  const dir = temporaryDirectory(t);
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text);
  };
  write('store/node_modules/dependency/index.js', `module.exports = 'found';`);
  for (const name of ['first.js', 'second.js'])
    write(`store/node_modules/linked/${name}`, `module.exports = require('dependency');`);
  write('app/package.json', '{ "name": "demo" }');
  mkdirSync(path.join(dir, 'app/node_modules'));
  symlinkSync(path.join(dir, 'store/node_modules/linked'), path.join(dir, 'app/node_modules/linked'), 'dir');
  const program = `
    const { Agent } = await import(${JSON.stringify(path.join(ROOT, 'dist/index.js'))});
    const { createRequire } = await import('node:module');
    const require = createRequire(import.meta.url);
    const linked = ${JSON.stringify(path.join(dir, 'app/node_modules/linked/'))};
    require(linked + 'first.js');
    const agent = new Agent({ baseDir: ${JSON.stringify(path.join(dir, 'app'))}, mode: 'single', env: 'unittest' });
    await agent.ready();
    agent.logger.warn('a line');
    console.log(require(linked + 'second.js'));
    await agent.close();`;
  // No log file, so that the pipe is what was looked at last.
  const env = { ...process.env, EGG_APP_CONFIG: '{ "logger": { "level": "NONE" } }' };
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env,
  });
  assert.match(stdout, /^found$/m, stderr);
});
