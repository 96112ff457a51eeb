// What each built-in plugin costs a request: `node bench/plugin_cost.mjs [plugin…]`, or `npx -y -p node@24 node bench/plugin_cost.mjs`.
// All subjects take short turns; `costs` is the median over the turns of what the default stack takes more than the one beside it.
import { readdirSync } from 'node:fs';
import { measureInTurn } from './in_process/measure.mjs';
import { summarize, table } from './report.mjs';

const ROUNDS = 12;
const all = readdirSync(new URL('../plugins', import.meta.url));
const named = process.argv.length > 2 ? process.argv.slice(2) : all;
const unknown = named.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`no built-in plugin: ${unknown.join(', ')}; there are ${all.join(', ')}`);

const without = (names) => ({ plugins: Object.fromEntries(names.map((name) => [name, { enable: false }])) });
const found = await measureInTurn(
  {
    'node:http': { raw: true },
    'default stack': {},
    // What differs here is chance.
    'the same again': {},
    'asyncContext: false': { config: { asyncContext: false } },
    'no plugins': without(all),
    ...Object.fromEntries(named.map((name) => [`without ${name}`, without([name])])),
  },
  ROUNDS,
);

const full = found['default stack'];
const cost = (name) => {
  const { median, spread } = summarize(full.map((value, index) => 1 - found[name][index] / value));
  return `${(median * 100).toFixed(1)} % ± ${Math.abs(median * spread * 100).toFixed(1)}`;
};
console.log(
  `Node ${process.version}, µs of processor time per request, ${full.length} turns in ${ROUNDS} processes each\n`,
);
console.log(
  table(
    ['subject', 'median', 'least', 'the default stack takes more'],
    Object.keys(found).map((name) => [
      name,
      summarize(found[name]).median.toFixed(2),
      Math.min(...found[name]).toFixed(2),
      found[name] === full ? '' : cost(name),
    ]),
  ),
);
process.exit();
