// What `config.asyncContext` costs a request: `node bench/async_context.mjs`, or `npx -y -p node@24 node bench/async_context.mjs`.
import { measureInTurn } from './in_process/measure.mjs';
import { summarize, table } from './report.mjs';

const ROUNDS = 5;
const ROUTES = { plain: 0, 'ten awaits': 10 };

console.log(`Node ${process.version}, median of ${ROUNDS} processes each, µs of processor time per request\n`);
const rows = Object.entries(ROUTES).map(([name, awaits]) => {
  const found = measureInTurn({ off: { awaits, config: { asyncContext: false } }, on: { awaits } }, ROUNDS);
  const off = summarize(found.off).median;
  const on = summarize(found.on).median;
  const cost = on / off - 1;
  return [name, off.toFixed(2), on.toFixed(2), `${cost >= 0 ? '+' : ''}${(cost * 100).toFixed(0)} %`];
});
console.log(table(['handler', 'asyncContext: false', 'true', 'cost'], rows));
