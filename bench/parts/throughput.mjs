import { load, processorTime, startSubject } from '../http/harness.mjs';
import { percent, ratio, summarize, table } from '../report.mjs';
import { THROUGHPUT } from '../scenarios.mjs';

/** How often each server is asked in a round, in turn with the others. */
const TURNS = 4;
/** Milliseconds before the first turn: what a process runs often is compiled then. */
const WARM_UP = 1200;
const TURN = 400;

const withOneRoute = (subject) => `${subject}, one route`;

/**
 * Starts all subjects and asks each in short turns: a phase in which the machine is slow meets all of them.
 *
 * @returns by subject what came of each turn of each round; nothing of one that cannot be installed or started
 */
async function takeTurns({ name, path, env, subjects, single = [], load: how }, bench) {
  const entries = [
    ...subjects.map((subject) => ({ key: subject, subject, env })),
    ...single.map((subject) => ({ key: withOneRoute(subject), subject, env: {} })),
  ];
  const runs = Object.fromEntries(entries.map(({ key }) => [key, []]));
  const options = { path, ...how };
  for (let round = 0; round < bench.rounds; round += 1) {
    const servers = await startAll(entries, runs, bench);
    try {
      for (const { port } of servers.values()) await load(port, { ...options, duration: WARM_UP });
      for (let turn = 0; turn < TURNS; turn += 1) await askAll(servers, { ...options, duration: TURN }, runs, bench);
    } finally {
      await Promise.all([...servers.values()].map((server) => server.stop()));
    }
  }
  console.error(`${name} done`);
  return runs;
}

async function startAll(entries, runs, { environment, missing, leaveOut }) {
  const servers = new Map();
  for (const { key, subject, env } of entries) {
    if (missing.has(key)) continue;
    try {
      servers.set(key, await startSubject(subject, environment(subject, env)));
    } catch (error) {
      leaveOut(key, runs, error);
    }
  }
  return servers;
}

async function askAll(servers, options, runs, { leaveOut }) {
  for (const [key, server] of servers) {
    try {
      runs[key].push(await ask(server, options).catch(() => ask(server, options)));
    } catch (error) {
      leaveOut(key, runs, error);
      servers.delete(key);
      await server.stop();
    }
  }
}

async function ask(server, options) {
  const pids = server.pids();
  const before = processorTime(pids);
  const { perSecond, total, errors } = await load(server.port, options);
  if (errors > 0) throw new Error(`${errors} errors`);
  return { perSecond, total, seconds: processorTime(pids) - before };
}

/** Requests a second in each scenario, and the processor time that one of them takes. */
export async function throughput(bench) {
  const columns = [];
  for (const scenario of THROUGHPUT) columns.push({ name: scenario.name, runs: await takeTurns(scenario, bench) });
  const names = [...new Set(THROUGHPUT.flatMap(({ subjects }) => subjects))].filter((name) =>
    columns.some(({ runs }) => runs[name]?.length),
  );
  const against = ({ runs }, name) =>
    summarize(runs[name].map(({ perSecond }, turn) => perSecond / runs.koa[turn].perSecond)).median;
  const cell = (column, name) => {
    if (!column.runs[name]?.length) return '–';
    const { median, spread } = summarize(column.runs[name].map(({ perSecond }) => perSecond));
    return `${Math.round(median).toLocaleString('en')} (${ratio(against(column, name))} ${percent(spread)})`;
  };
  const besideOne = THROUGHPUT.flatMap(({ name, single = [] }, index) => {
    const { runs } = columns[index];
    const compare = (subject) => {
      const { median, spread } = summarize(
        runs[subject].map(({ perSecond }, turn) => perSecond / runs[withOneRoute(subject)][turn].perSecond),
      );
      return `${subject} ${ratio(median)} ${percent(spread)}`;
    };
    const found = single.filter((subject) => runs[subject].length > 0 && runs[withOneRoute(subject)].length > 0);
    return found.length > 0 ? [`${name}, × one route in the same turns: ${found.map(compare).join('; ')}.`] : [];
  });
  const [first] = columns;
  const sum = (name, key) => first.runs[name].reduce((all, run) => all + run[key], 0);
  const cost = (name) =>
    first.runs[name]?.length ? ((sum(name, 'seconds') * 1e6) / sum(name, 'total')).toFixed(1) : '–';
  return {
    text: [
      table(
        ['requests a second, × koa in the same round', ...columns.map(({ name }) => name), 'CPU µs each, one route'],
        names.map((name) => [name, ...columns.map((column) => cell(column, name)), cost(name)]),
      ),
      ...besideOne,
    ].join('\n\n'),
    bars: names.filter((name) => first.runs[name]?.length).map((name) => ({ name, value: against(first, name) })),
  };
}
