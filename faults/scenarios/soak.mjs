// A while of everything.

import { readyWorkers, until } from '../harness.mjs';
import { Load } from '../load.mjs';

export const soak = {
  title: 'soak with reloads and kills: memory stays',
  async go(run, { soak: seconds }) {
    const c = await run.start();
    const load = new Load(c.url);
    await until(() => load.requests > 500);
    // Once all is warm.
    await c.reload();
    await until(() => load.requests > 2000);
    const before = await run.memory(c);
    let slowest = 0;
    for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
      const { processes } = await c.status();
      const worker = processes.find(({ kind, state }) => kind === 'app worker' && state === 'ready');
      const begin = Date.now();
      if (worker) {
        load.died(worker.pid);
        await c.kill({ pid: worker.pid }, 'SIGKILL');
      }
      slowest = Math.max(slowest, Date.now() - begin);
      await c.reload();
      const count = load.requests;
      await until(() => load.requests > count + 1000);
    }
    await until(async () => (await readyWorkers(c)) === 2);
    const after = await run.memory(c);
    run.expect(after < before * 1.3 + 10, `${before} MiB before, ${after} MiB after`);
    return { ...(await load.stop()), heal: slowest, memory: [before, after] };
  },
};
