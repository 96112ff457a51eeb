// What `config.asyncContext` costs a request: `node bench/async_context.mjs`, or `npx -y -p node@24 node bench/async_context.mjs`.
import { measureInTurn } from './in_process/measure.mjs';
import { ratioOf, summarize, table } from './report.mjs';

const ROUNDS = 12;
const ROUTES = { plain: 0, 'ten awaits': 10 };

console.log(`Node ${process.version}, median of turns in ${ROUNDS} processes each, µs of processor time per request\n`);
const rows = [];
for (const [name, awaits] of Object.entries(ROUTES)) {
  const { off, on } = await measureInTurn({ off: { awaits, config: { asyncContext: false } }, on: { awaits } }, ROUNDS);
  const cost = ratioOf(on, off) - 1;
  const percent = `${cost >= 0 ? '+' : ''}${(cost * 100).toFixed(0)} %`;
  rows.push([name, summarize(off).median.toFixed(2), summarize(on).median.toFixed(2), percent]);
}
console.log(table(['handler', 'asyncContext: false', 'true', 'cost'], rows));
process.exit();
