import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { LogFile } from '../../../framework/lib/logger/log_file.js';

// Writes a log on a disk that is mounted read-only, then makes it writable.
const dir = process.argv[2] as string;
execFileSync('mount', ['-o', 'remount,ro', dir]);
const file = path.join(dir, 'a.log');
const log = new LogFile(file, 'utf8', () => undefined);
log.write('one\n', false);
execFileSync('mount', ['-o', 'remount,rw', dir]);
const timer = setInterval(() => {
  if (!existsSync(file)) return;
  clearInterval(timer);
  console.log('written');
}, 20);
