#!/usr/bin/env node
// Nothing is imported above the checks: what cannot be loaded would hide the reason.
const NEEDED = [20, 19] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(
    `Node ${process.versions.node} is too old for Clutch\n  running ${process.execPath}\n  Install Node ${NEEDED.join('.')} or later; \`node --version\` shows the one in use.`,
  );
  process.exit(1);
}
// Yarn 1 finds no package for an ES module there; what a later Yarn lets start is refused in resolve/package.ts.
if (process.versions['pnp'] !== undefined) {
  console.error(
    `Yarn's Plug'n'Play is not supported: the loader needs node_modules\n  process.versions.pnp is ${process.versions['pnp']}\n  Write "nodeLinker: node-modules" in .yarnrc.yml (Yarn 1: no "installConfig.pnp" in package.json), then yarn install.`,
  );
  process.exit(1);
}
// Without await: Plug'n'Play requires this file.
import('./main.js').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
