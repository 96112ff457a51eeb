// Writes docs/errors.md from errors.ts; with --check it fails when the file is not up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CODES } from '../dist/errors.js';

const file = new URL('../docs/errors.md', import.meta.url);
const rows = Object.entries(ERROR_CODES).map(([code, text]) => `| \`${code}\` | ${text} |`);
const page = `# Error codes\n\nEach error names the file and the key at fault and what to do. Written by \`npm run docs\`.\n\n| code | when |\n|---|---|\n${rows.join('\n')}\n`;
if (!process.argv.includes('--check')) writeFileSync(file, page);
else if (readFileSync(file, 'utf8') !== page) {
  console.error('docs/errors.md is not up to date: run `npm run docs`');
  process.exit(1);
}
