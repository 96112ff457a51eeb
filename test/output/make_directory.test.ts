import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

const skip = process.platform === 'linux' ? false : '/proc is there on Linux only';

test('logger.dir where no directory can be made is reported, and the app goes on', { skip }, (t) => {
  const baseDir = writeApp(t, { 'config/config.default.js': `exports.logger = { dir: '/proc/x/y' };` });
  const code = `import { start } from ${JSON.stringify(path.join(ROOT, 'dist/index.js'))};
    const app = await start({ baseDir: ${JSON.stringify(baseDir)} });
    app.logger.warn('a line');
    await app.close();
    console.log('closed');`;
  const args = ['--input-type=module', '-e', code];
  // Before, it did not end: only a kill stops a process that spins.
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  assert.match(stdout, /closed/);
  assert.match(stderr, /\/proc\/x.* cannot be written: .*set config\.logger\.dir/);
});
