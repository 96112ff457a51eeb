// Runs the suite on every Node that Clutch supports; the `node` package of the registry holds each.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);
let failed = false;
for (const version of ['20', '22', '24']) {
  console.log(`\nNode ${version}`);
  const args = ['-y', '-p', `node@${version}`, 'node', 'scripts/run_tests.mjs', ...words];
  const { status } = spawnSync('npx', args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
