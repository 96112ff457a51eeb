import { readdirSync } from 'node:fs';
import { ratioOf, summarize, table } from '../report.mjs';
import { takeTurns } from './throughput.mjs';

const NAMES = readdirSync(new URL('../../dist/plugins', import.meta.url));
const without = (name) => `clutch, without ${name}`;

/** What each built-in plugin costs a request that does not use it: the default stack beside the stack without the one. */
export async function plugins(bench) {
  const subjects = ['clutch', ...NAMES.map(without)];
  const runs = await takeTurns({ name: 'plugins', path: '/api/users/7', env: {}, subjects }, bench);
  const rates = (subject) => runs[subject].map(({ perSecond }) => perSecond);
  const cost = (name) => (1 - ratioOf(rates('clutch'), rates(without(name)))) * 100;
  const { spread } = summarize(rates('clutch'));
  return {
    text: table(
      ['built-in plugin', `share of a routed JSON request that it takes (turns ± ${Math.round(spread * 100)} %)`],
      NAMES.filter((name) => runs[without(name)].length).map((name) => [name, `${cost(name).toFixed(1)} %`]),
    ),
    data: Object.fromEntries(subjects.map((name) => [name, runs[name].map(({ perSecond }) => Math.round(perSecond))])),
  };
}
