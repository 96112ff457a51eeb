// Writes the tables of commands and exit codes in docs/cli.md from cli/; with --check it fails when the file is not up to date.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Beside the sources, so that packages are found.
const bundle = fileURLToPath(new URL(`../.command_table.${process.pid}.mjs`, import.meta.url));
await build({
  entryPoints: ['cli/command_table.ts'],
  absWorkingDir: root,
  outfile: bundle,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
});
let tables;
try {
  const { commandTable, exitCodeTable } = await import(bundle);
  tables = { commands: await commandTable(), 'exit codes': exitCodeTable() };
} finally {
  rmSync(bundle);
}
const file = new URL('../docs/cli.md', import.meta.url);
const page = readFileSync(file, 'utf8');
let updated = page;
for (const [name, table] of Object.entries(tables)) {
  const [begin, end] = [`<!-- ${name}: written by \`npm run docs\` -->\n`, `\n<!-- end of ${name} -->`];
  const [before, rest = ''] = updated.split(begin);
  updated = `${before}${begin}\n${table}\n${end}${rest.split(end)[1]}`;
}
if (!process.argv.includes('--check')) writeFileSync(file, updated);
else if (page !== updated) {
  console.error('docs/cli.md is not up to date: run `npm run docs`');
  process.exit(1);
}
