import { load, processorTime, startSubject } from '../http/harness.mjs';
import { percent, ratio, summarize, table } from '../report.mjs';
import { THROUGHPUT } from '../scenarios.mjs';

/** Requests a second in each scenario, and the processor time that one of them takes. */
export async function throughput({ interleave, environment }) {
  const columns = [];
  for (const { name, path, env, subjects, load: how } of THROUGHPUT) {
    const runs = await interleave(name, subjects, async (subject) => {
      const server = await startSubject(subject, environment(subject, env));
      try {
        const pids = server.pids();
        const before = processorTime(pids);
        const { perSecond, total, errors } = await load(server.port, { path, ...how });
        if (errors > 0) throw new Error(`${errors} errors`);
        return { perSecond, microseconds: ((processorTime(pids) - before) * 1e6) / total };
      } finally {
        await server.stop();
      }
    });
    columns.push({ name, runs });
  }
  const names = [...new Set(THROUGHPUT.flatMap(({ subjects }) => subjects))].filter((name) =>
    columns.some(({ runs }) => runs[name]?.length),
  );
  const against = ({ runs }, name) =>
    summarize(runs[name].map(({ perSecond }, round) => perSecond / runs.koa[round].perSecond)).median;
  const cell = (column, name) => {
    if (!column.runs[name]?.length) return '–';
    const { median, spread } = summarize(column.runs[name].map(({ perSecond }) => perSecond));
    return `${Math.round(median).toLocaleString('en')} (${ratio(against(column, name))} ${percent(spread)})`;
  };
  const [first] = columns;
  const cost = (name) =>
    first.runs[name]?.length
      ? summarize(first.runs[name].map(({ microseconds }) => microseconds)).median.toFixed(1)
      : '–';
  return {
    text: table(
      ['requests a second, × koa in the same round', ...columns.map(({ name }) => name), 'CPU µs each, one route'],
      names.map((name) => [name, ...columns.map((column) => cell(column, name)), cost(name)]),
    ),
    bars: names.filter((name) => first.runs[name]?.length).map((name) => ({ name, value: against(first, name) })),
  };
}
