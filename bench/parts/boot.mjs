import path from 'node:path';
import { generateApp } from '../app_generator.mjs';
import { memoryOf, startSubject } from '../http/harness.mjs';
import { ratio, ratioOf, summarize, table } from '../report.mjs';
import { BIG_APP, BIG_BOOT, BOOT, BOOT_WORKERS } from '../scenarios.mjs';

/** Boots of each subject in a round: a short one tells more of the machine's phase than of the subject. */
const boots = (workers) => (workers === 1 ? 3 : 1);

/** From the start of a process to the first answer, and the memory of all its processes a second later. */
export async function boot({ rounds, interleave, environment, scratch }) {
  const times = {};
  const memory = {};
  for (const workers of BOOT_WORKERS) {
    const measure = async (subject) => {
      const server = await startSubject(subject, environment(subject, { WORKERS: String(workers), CLUSTER: '1' }));
      if (workers === 1) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        (memory[subject] ??= []).push(memoryOf(server.pids()));
      }
      await server.stop();
      return server.boot;
    };
    times[workers] = await interleave(`boot of ${workers}`, BOOT, measure, rounds * boots(workers));
  }
  for (const subject of BIG_BOOT) {
    const { PEERS } = environment(subject);
    const egg = { name: 'egg', dir: path.join(PEERS, 'node_modules/egg') };
    generateApp(path.join(scratch, `big-${subject}`), BIG_APP, PEERS ? egg : undefined);
  }
  const big = await interleave('boot of a big app', BIG_BOOT, async (subject) => {
    const APP = path.join(scratch, `big-${subject}`);
    const server = await startSubject(subject, environment(subject, { APP }));
    await server.stop();
    return server.boot;
  });
  const time = (name, workers) => {
    const own = times[workers][name];
    if (!own.length) return '–';
    return `${Math.round(summarize(own).median)} (${ratio(ratioOf(own, times[workers].koa))})`;
  };
  const bigTime = (name) => {
    const own = big[name] ?? [];
    return own.length ? `${Math.round(summarize(own).median)} (${ratio(ratioOf(own, big['egg 3']))})` : '–';
  };
  const memoryOfOne = (name) =>
    `${Math.round(summarize(memory[name]).median)} (${ratio(ratioOf(memory[name], memory.koa))})`;
  const { controllers, services, plugins } = BIG_APP;
  const text = table(
    [
      "start to first answer, ms (× koa in Node's cluster)",
      ...BOOT_WORKERS.map((workers) => `${workers} worker${workers > 1 ? 's' : ''}`),
      `${controllers} controllers, ${services} services, ${plugins} plugins (× egg 3)`,
      'memory (PSS) of all processes, 1 worker, MiB',
    ],
    BOOT.filter((name) => memory[name]).map((name) => [
      name,
      ...BOOT_WORKERS.map((workers) => time(name, workers)),
      bigTime(name),
      memoryOfOne(name),
    ]),
  );
  const summary = Object.fromEntries(
    BOOT.filter((name) => memory[name]).map((name) => [name, { boot: time(name, 1), memory: memoryOfOne(name) }]),
  );
  return { text, data: { times, big, memory }, summary };
}
