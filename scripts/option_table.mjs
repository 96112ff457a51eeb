// Writes the table of options in docs/cluster.md from cluster/options/option_table.ts; with --check it fails when the file is
// not up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const source = fileURLToPath(new URL('../cluster/options/option_table.ts', import.meta.url));
const { outputFiles } = await build({
  entryPoints: [source],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
});
const { optionTable } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
const file = new URL('../docs/cluster.md', import.meta.url);
const page = readFileSync(file, 'utf8');
const [begin, end] = ['<!-- options: written by `npm run docs` -->\n', '\n<!-- end of options -->'];
const [before, rest = ''] = page.split(begin);
const updated = `${before}${begin}\n${optionTable()}\n${end}${rest.split(end)[1]}`;
if (!process.argv.includes('--check')) writeFileSync(file, updated);
else if (page !== updated) {
  console.error('docs/cluster.md is not up to date: run `npm run docs`');
  process.exit(1);
}
