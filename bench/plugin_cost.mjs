// What each built-in plugin costs a request: `node bench/plugin_cost.mjs [plugin…]`, or `npx -y -p node@24 node bench/plugin_cost.mjs`.
// On a machine that others use, the least of several processes says more than the median: nothing makes a process faster.
import { readdirSync } from 'node:fs';
import { measureInTurn } from './in_process/measure.mjs';
import { summarize, table } from './report.mjs';

const ROUNDS = 5;
const all = readdirSync(new URL('../plugins', import.meta.url));
const named = process.argv.length > 2 ? process.argv.slice(2) : all;
const unknown = named.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`no built-in plugin: ${unknown.join(', ')}; there are ${all.join(', ')}`);

const without = (names) => ({ plugins: Object.fromEntries(names.map((name) => [name, { enable: false }])) });
const found = measureInTurn(
  {
    'node:http': { raw: true },
    'default stack': {},
    'asyncContext: false': { config: { asyncContext: false } },
    'no plugins': without(all),
    ...Object.fromEntries(named.map((name) => [`without ${name}`, without([name])])),
  },
  ROUNDS,
);

const least = (name) => Math.min(...found[name]);
const full = least('default stack');
console.log(`Node ${process.version}, ${ROUNDS} processes each, µs of processor time per request\n`);
console.log(
  table(
    ['subject', 'least', 'median', 'least, of the default stack'],
    Object.keys(found).map((name) => [
      name,
      least(name).toFixed(2),
      summarize(found[name]).median.toFixed(2),
      `${Math.round((least(name) / full) * 100)} %`,
    ]),
  ),
);
