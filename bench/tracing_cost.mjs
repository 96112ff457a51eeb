// What subscribers of the tracing channels cost a request: `node bench/tracing_cost.mjs [rounds]`.
import { measureInTurn } from './in_process/measure.mjs';
import { summarize, table } from './report.mjs';

const ALL = ['request', 'middleware', 'controller', 'service', 'view', 'httpclient', 'message'];
const found = await measureInTurn(
  { 'no subscriber': {}, 'clutch:request': { traced: ['request'] }, 'all channels': { traced: ALL } },
  Number(process.argv[2] ?? 6),
);
const none = found['no subscriber'];
const rows = Object.entries(found).map(([name, values]) => {
  const { median } = summarize(values.map((value, index) => value / none[index] - 1));
  return [name, summarize(values).median.toFixed(2), values === none ? '' : `+${(median * 100).toFixed(0)} %`];
});
console.log(`Node ${process.version}, µs of processor time per routed JSON request\n`);
console.log(table(['subscriber', 'median', 'more than without'], rows));
process.exit();
