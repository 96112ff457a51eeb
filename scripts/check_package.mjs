// Packs the package as npm would publish it and checks it: types resolve (attw), and its size is within the budget.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bytes without docs. Source maps are a seventh of it, declarations with their docstrings a fifth. */
const BUDGET = 2_000_000;

const ATTW = [
  // The package is ESM, and every Node that it supports can require that (20.19). TypeScript knows it with "module": "nodenext".
  ...['--ignore-rules', 'cjs-resolves-to-esm'],
  // Jest loads it by name from its config; no code imports it.
  ...['--exclude-entrypoints', './mock/jest-environment'],
];

/** Parts of the package, the first that matches counts. */
const PARTS = {
  docs: /^docs\/|\.md$/,
  'source maps': /\.map$/,
  declarations: /\.d\.c?ts$/,
  code: /^dist\//,
  template: /^app-template\//,
  other: /./,
};

const dir = mkdtempSync(path.join(tmpdir(), 'clutch-pack-'));
try {
  // dist/ is built: packing does not build it again.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', dir];
  const output = JSON.parse(
    execFileSync('npm', pack, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' }),
  );
  const [{ filename, files, size }] = Object.values(output);
  const attw = path.join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const { status } = spawnSync(
    process.execPath,
    [attw, path.join(dir, filename), '--format', 'table-flipped', ...ATTW],
    {
      stdio: 'inherit',
    },
  );
  if (status !== 0) process.exitCode = 1;
  checkSize(files, size);
} finally {
  rmSync(dir, { recursive: true });
}

function checkSize(files, packed) {
  const sizes = Object.fromEntries(Object.keys(PARTS).map((part) => [part, 0]));
  for (const file of files) sizes[Object.keys(PARTS).find((part) => PARTS[part].test(file.path))] += file.size;
  const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;
  for (const [part, bytes] of Object.entries(sizes)) console.log(`${part.padEnd(12)} ${kilobytes(bytes).padStart(8)}`);
  const total = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0) - sizes.docs;
  console.log(`without docs ${kilobytes(total).padStart(8)}; the tarball with docs has ${kilobytes(packed)}`);
  if (total <= BUDGET) return;
  console.error(`The package without docs has more than ${kilobytes(BUDGET)}: BUDGET in scripts/check_package.mjs`);
  process.exitCode = 1;
}
