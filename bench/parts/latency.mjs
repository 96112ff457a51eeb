import { load, startSubject } from '../http/harness.mjs';
import { summarize, table } from '../report.mjs';
import { LATENCY } from '../scenarios.mjs';

const PATH = '/api/users/7';

/** Latency at half of what koa can do here; the time a request waits because the server is late counts. */
export async function latency({ interleave, environment }) {
  const full = await interleave('koa at full load', ['koa'], (subject) => underLoad(subject, { path: PATH }));
  const rate = Math.round(summarize(full.koa.map(({ perSecond }) => perSecond)).median / 2000) * 1000;
  const runs = await interleave('latency', LATENCY, (subject) =>
    underLoad(subject, { path: PATH, rate, duration: 3000 }),
  );
  async function underLoad(subject, how) {
    const server = await startSubject(subject, environment(subject, {}));
    try {
      return await load(server.port, how);
    } finally {
      await server.stop();
    }
  }
  const at = (name, key) => summarize(runs[name].map((run) => run[key])).median.toFixed(2);
  return table(
    [`latency at ${rate.toLocaleString('en')} requests a second, half of what koa can do`, 'p50 ms', 'p99 ms'],
    LATENCY.filter((name) => runs[name].length).map((name) => [name, at(name, 'p50'), at(name, 'p99')]),
  );
}
