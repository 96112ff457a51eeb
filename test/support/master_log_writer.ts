import { setImmediate as nextIteration } from 'node:timers/promises';
import { createMasterLog } from '../../cluster/master/master_log.js';
import { stdout } from '../../output/stdio.js';

// Prints a million lines as the Master does, reports what that took, and prints one more line when it is asked to.
const log = createMasterLog();
const before = process.memoryUsage().rss;
let peak = before;
let blocked = 0;
for (let index = 0; index < 1000; index += 1) {
  const begin = performance.now();
  for (let line = 0; line < 1000; line += 1) log.info(`line ${index} ${line}`);
  blocked = Math.max(blocked, performance.now() - begin);
  peak = Math.max(peak, process.memoryUsage.rss());
  await nextIteration();
}
process.send?.({ grown: Math.round((peak - before) / 1024 / 1024), blocked, lost: stdout().lostLines });
process.once('message', () => {
  const wait = setInterval(() => {
    if (process.stdout.writableLength > 0) return;
    clearInterval(wait);
    log.info('one more');
    process.disconnect();
  }, 5);
});
