import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chart } from './chart.mjs';
import { table } from './report.mjs';

/** The rows that the README shows, of the latest run. */
const README_ROWS = ['node:http', 'koa + @koa/router', 'fastify', 'egg 3', 'clutch'];
const FULL = ['throughput', 'latency', 'boot', 'growth', 'ipc'];

/** @returns the section of docs/benchmarks.md for a run */
export function describeRun({ parts, ...run }) {
  const about = [
    `${run.rounds} interleaved rounds in ${run.minutes} minutes, medians ± half the distance between the quartiles`,
    `requests from ${run.generator}`,
    `load average ${run.load.before[0].toFixed(2)} before and ${run.load.after[0].toFixed(2)} after`,
    `commit ${run.commit}`,
    ...(run.leftOut.length > 0 ? [`left out because they did not install or start: ${run.leftOut.join(', ')}`] : []),
  ];
  const sections = Object.values(parts).map(({ text }) => text);
  return [`### ${titleOf(run)}`, `${run.machine}.`, `${about.join('; ')}. ${rawLink(run)}`, ...sections].join('\n\n');
}

const titleOf = ({ date, node }) => `${date.slice(0, 16).replace('T', ' ')} UTC, Node ${node}`;
const fileOf = ({ date, node }) => `${date.slice(0, 16).replace(/[T:]/g, '-')}-node${node.replace('v', '')}.json`;
const rawLink = (run) => `Raw data: [bench/results/${fileOf(run)}](../bench/results/${fileOf(run)}).`;

/**
 * Keeps a run: its raw data, its tables above those of earlier runs, and, when no part was left out, five rows in the README.
 *
 * @param root of the repository
 */
export function recordRun(root, run) {
  const results = path.join(root, 'bench/results');
  mkdirSync(results, { recursive: true });
  const raw = Object.fromEntries(Object.entries(run.parts).map(([name, { data }]) => [name, data]));
  writeFileSync(path.join(results, fileOf(run)), `${JSON.stringify({ ...run, parts: raw })}\n`);
  insert(path.join(root, 'docs/benchmarks.md'), '<!-- runs -->\n', `\n${describeRun(run)}\n`);
  if (!FULL.every((part) => run.parts[part])) return;
  const { throughput, boot } = run.parts;
  writeFileSync(path.join(root, 'docs/bench.svg'), chart('Requests a second with one route, × koa', throughput.bars));
  const rows = README_ROWS.filter((name) => throughput.summary[name]).map((name) => [
    name,
    throughput.summary[name],
    boot.summary[name]?.boot ?? '–',
    boot.summary[name]?.memory ?? '–',
  ]);
  const head = ['latest run', 'requests a second (× koa)', "boot, ms (× koa in Node's cluster)", 'memory, MiB (× koa)'];
  const about = `Node ${run.node}, ${run.machine.split(', ')[1]}, ${run.date.slice(0, 10)}.`;
  replaceBetween(
    path.join(root, 'README.md'),
    '<!-- bench -->\n',
    '<!-- /bench -->',
    `\n${table(head, rows)}\n\n${about}\n\n`,
  );
}

function insert(file, mark, text) {
  const [before, after] = readFileSync(file, 'utf8').split(mark);
  if (after === undefined) throw new Error(`${file} has no line ${mark}`);
  writeFileSync(file, before + mark + text + after);
}

function replaceBetween(file, begin, end, text) {
  const content = readFileSync(file, 'utf8');
  const from = content.indexOf(begin);
  const to = content.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`${file} has no place for the table: ${begin} and ${end}`);
  writeFileSync(file, content.slice(0, from) + begin + text + content.slice(to));
}
