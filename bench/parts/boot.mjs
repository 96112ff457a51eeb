import { memoryOf, startSubject } from '../http/harness.mjs';
import { ratio, summarize, table } from '../report.mjs';
import { BOOT, BOOT_WORKERS } from '../scenarios.mjs';

/** From the start of a process to the first answer, and the memory of all its processes a second later. */
export async function boot({ interleave, environment }) {
  const times = {};
  const memory = {};
  for (const workers of BOOT_WORKERS) {
    times[workers] = await interleave(`boot of ${workers}`, BOOT, async (subject) => {
      const server = await startSubject(subject, environment(subject, { WORKERS: String(workers), CLUSTER: '1' }));
      if (workers === 1) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        (memory[subject] ??= []).push(memoryOf(server.pids()));
      }
      await server.stop();
      return server.boot;
    });
  }
  const against = (own, koa) => summarize(own.map((value, round) => value / koa[round])).median;
  const time = (name, workers) => {
    const own = times[workers][name];
    if (!own.length) return '–';
    return `${Math.round(summarize(own).median)} (${ratio(against(own, times[workers].koa))})`;
  };
  return table(
    [
      "start to first answer, ms (× koa in Node's cluster)",
      ...BOOT_WORKERS.map((workers) => `${workers} worker${workers > 1 ? 's' : ''}`),
      'memory (PSS) of all processes, 1 worker, MiB',
    ],
    BOOT.filter((name) => memory[name]).map((name) => [
      name,
      ...BOOT_WORKERS.map((workers) => time(name, workers)),
      `${Math.round(summarize(memory[name]).median)} (${ratio(against(memory[name], memory.koa))})`,
    ]),
  );
}
