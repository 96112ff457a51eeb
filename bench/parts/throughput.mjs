import { Clients } from '../http/clients.mjs';
import { startSubject } from '../http/harness.mjs';
import { percent, ratio, ratioOf, summarize, table } from '../report.mjs';
import { THROUGHPUT } from '../scenarios.mjs';

/** How often each server is asked in a round, in turn with the others, and for how many milliseconds. */
const TURNS = 40;
const TURN = 100;
/** Turns before these: what a process runs often is compiled then. */
const WARM_UP = 12;

const withOneRoute = (subject) => `${subject} with one route`;

/**
 * Starts all subjects and asks each in short turns: a phase in which a shared machine is slow meets all of them.
 *
 * @returns by subject what came of each turn of each round; nothing of one that cannot be installed or started, or fails
 */
export async function takeTurns({ name, path, env, subjects, single = [], load: how }, bench) {
  const entries = [
    ...subjects.map((subject) => ({ key: subject, subject, env })),
    ...single.map((subject) => ({ key: withOneRoute(subject), subject, env: {} })),
  ];
  const runs = Object.fromEntries(entries.map(({ key }) => [key, []]));
  for (let round = 0; round < bench.rounds; round += 1) {
    let all = await startAll(entries, runs, bench);
    const each = async (task) => {
      for (const subject of all) {
        try {
          await task(subject);
        } catch (error) {
          bench.leaveOut(subject.key, runs, error);
          subject.clients.abort();
          all.delete(subject);
          await subject.server.stop();
        }
      }
    };
    // Not before all have started: a server closes connections that are idle for five seconds.
    for (const subject of all) subject.clients = new Clients(subject.server, { path, ...how });
    for (let turn = -WARM_UP; turn < TURNS; turn += 1) {
      all = inNewOrder(all);
      await each(async ({ key, clients }) => {
        const result = await clients.ask(TURN);
        if (turn >= 0) runs[key].push(result);
      });
    }
    await each(({ clients }) => clients.end());
    await Promise.all([...all].map(({ server }) => server.stop()));
  }
  console.error(`${name} done`);
  return runs;
}

/**
 * By chance, so that what a server leaves to do meets not always the same next; but none twice in a row, since it would find
 * the processor's caches full of its own.
 */
function inNewOrder(all) {
  const last = [...all].at(-1);
  const order = [...all].map((subject) => ({ subject, at: Math.random() })).sort((a, b) => a.at - b.at);
  if (order[0]?.subject === last) order.push(order.shift());
  return new Set(order.map(({ subject }) => subject));
}

async function startAll(entries, runs, { environment, missing, leaveOut }) {
  const all = new Set();
  for (const { key, subject, env } of entries) {
    if (missing.has(key)) continue;
    try {
      all.add({ key, server: await startSubject(subject, environment(subject, env)) });
    } catch (error) {
      leaveOut(key, runs, error);
    }
  }
  return all;
}

/** Requests a second, requests and seconds of processor time of each turn, without the names. */
function compact(runs) {
  const three = ({ perSecond, total, seconds }) => [Math.round(perSecond), total, Number(seconds.toFixed(3))];
  return Object.fromEntries(Object.entries(runs).map(([name, turns]) => [name, turns.map(three)]));
}

/** Requests a second in each scenario, and the processor time that one of them takes. */
export async function throughput(bench) {
  const columns = [];
  for (const scenario of THROUGHPUT) columns.push({ name: scenario.name, runs: await takeTurns(scenario, bench) });
  const names = [...new Set(THROUGHPUT.flatMap(({ subjects }) => subjects))].filter((name) =>
    columns.some(({ runs }) => runs[name]?.length),
  );
  const rates = ({ runs }, name) => runs[name].map(({ perSecond }) => perSecond);
  const against = (column, name, other = 'koa') => ratioOf(rates(column, name), rates(column, other));
  const cell = (column, name) => {
    if (!column.runs[name]?.length) return '–';
    const { median, spread } = summarize(rates(column, name));
    return `${Math.round(median).toLocaleString('en')} (${ratio(against(column, name))} ${percent(spread)})`;
  };
  const pairs = THROUGHPUT.flatMap(({ name, single = [], beside = [] }, index) => {
    const column = columns[index];
    const all = [...beside, ...single.map((subject) => [subject, withOneRoute(subject)])];
    const found = all.filter((pair) => pair.every((key) => column.runs[key].length > 0));
    const compare = ([subject, other]) => `${subject} ${ratio(against(column, subject, other))} of ${other}`;
    return found.length > 0 ? [`In the same turns, ${name}: ${found.map(compare).join('; ')}.`] : [];
  });
  const [first] = columns;
  const sum = (name, key) => first.runs[name].reduce((all, run) => all + run[key], 0);
  const cost = (name) =>
    first.runs[name]?.length ? ((sum(name, 'seconds') * 1e6) / sum(name, 'total')).toFixed(1) : '–';
  const cells = (name) => columns.map((column) => cell(column, name));
  return {
    data: Object.fromEntries(columns.map(({ name, runs }) => [name, compact(runs)])),
    summary: Object.fromEntries(names.map((name) => [name, cell(first, name)])),
    text: [
      table(
        ['requests a second, × koa in the same turn', ...columns.map(({ name }) => name), 'CPU µs each, one route'],
        names.map((name) => [name, ...cells(name), cost(name)]),
      ),
      ...pairs,
    ].join('\n\n'),
    bars: names.filter((name) => first.runs[name]?.length).map((name) => ({ name, value: against(first, name) })),
  };
}
