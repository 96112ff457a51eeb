import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LogFile } from '../../../framework/lib/logger/log_file.js';

// Writes a log on a disk that is nearly full, makes space, and looks whether each line is there once and whole.
const dir = process.argv[2] as string;
writeFileSync(path.join(dir, 'ballast'), Buffer.alloc(40 * 1024));
const file = path.join(dir, 'a.log');
const log = new LogFile(file, 'utf8', () => undefined);
let written = '';
for (let index = 0; index < 1000; index += 1) {
  const line = `${index} ${'x'.repeat(40)}\n`;
  written += line;
  log.write(line, index % 2 === 0);
}
rmSync(path.join(dir, 'ballast'));
const deadline = Date.now() + 20_000;
const timer = setInterval(() => {
  const isWhole = readFileSync(file, 'utf8') === written;
  if (!isWhole && Date.now() < deadline) return;
  clearInterval(timer);
  console.log(isWhole ? 'whole' : 'not whole');
}, 20);
