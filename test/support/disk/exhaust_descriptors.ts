import { closeSync, openSync, readFileSync } from 'node:fs';
import { LogFile } from '../../../framework/lib/logger/log_file.js';

// Writes a log while no file descriptor is free, then frees them.
const file = process.argv[2] as string;
const log = new LogFile(file, 'utf8', () => undefined);
const taken: number[] = [];
for (;;) {
  try {
    taken.push(openSync('/dev/null', 'r'));
  } catch {
    break;
  }
}
log.write('one\n', false);
log.write('two\n', false);
for (const fd of taken) closeSync(fd);
console.log('waits');
const timer = setInterval(() => {
  log.flush();
  if (readFileSync(file, 'utf8') !== 'one\ntwo\n') return;
  clearInterval(timer);
  console.log(`written ${log.lostLines}`);
}, 20);
