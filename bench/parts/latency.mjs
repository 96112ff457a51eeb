import { load, startSubject } from '../http/harness.mjs';
import { summarize, table } from '../report.mjs';
import { LATENCY } from '../scenarios.mjs';

const PATH = '/api/users/7';
/** Milliseconds that are counted at a fixed rate. */
const DURATION = 3000;

const thousands = (value) => Math.max(1, Math.floor(value / 1000)) * 1000;

/**
 * Latency at half of what each server can do by itself, and at one rate that all of them can serve: half of the slowest
 * one's peak. The time that a request waits because the server is late counts.
 */
export async function latency({ interleave, environment }) {
  const underLoad = async (subject, how) => {
    const server = await startSubject(subject, environment(subject, {}));
    try {
      return await load(server.port, { path: PATH, ...how });
    } finally {
      await server.stop();
    }
  };
  const peaks = await interleave('peaks', LATENCY, (subject) => underLoad(subject, {}));
  const names = LATENCY.filter((name) => peaks[name].length);
  const peak = (name) => summarize(peaks[name].map(({ perSecond }) => perSecond)).median;
  const common = thousands(Math.min(...names.map(peak)) / 2);
  const own = await interleave('latency at half of the own peak', names, (subject) =>
    underLoad(subject, { rate: thousands(peak(subject) / 2), duration: DURATION }),
  );
  const same = await interleave('latency at one rate', names, (subject) =>
    underLoad(subject, { rate: common, duration: DURATION }),
  );
  const at = (runs, name, key) =>
    runs[name].length ? summarize(runs[name].map((run) => run[key])).median.toFixed(2) : '–';
  return {
    text: table(
      [
        'latency, ms',
        'own peak, requests a second',
        'p50 at half of it',
        'p99 at half of it',
        `p50 at ${common.toLocaleString('en')} a second`,
        `p99 at ${common.toLocaleString('en')} a second`,
      ],
      names.map((name) => [
        name,
        Math.round(peak(name)).toLocaleString('en'),
        at(own, name, 'p50'),
        at(own, name, 'p99'),
        at(same, name, 'p50'),
        at(same, name, 'p99'),
      ]),
    ),
    data: { peaks, own, same, common },
  };
}
