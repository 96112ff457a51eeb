#!/usr/bin/env node
// Nothing is imported above the check: what an old Node cannot load would hide the reason.
const NEEDED = [20, 19] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(
    `Node ${process.versions.node} is too old for Clutch\n  running ${process.execPath}\n  Install Node ${NEEDED.join('.')} or later; \`node --version\` shows the one in use.`,
  );
  process.exit(1);
}
await import('./main.js');
