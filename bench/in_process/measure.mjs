// Processor time per request in a fresh process without a network: requests arrive through a stream in memory.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const server = fileURLToPath(new URL('server.mjs', import.meta.url));
const base = mkdtempSync(path.join(tmpdir(), 'clutch-bench-'));
writeFileSync(path.join(base, 'package.json'), '{ "name": "bench" }');
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

/**
 * @typedef {object} Subject
 * @property {boolean} [raw] `node:http` alone
 * @property {object} [plugins] as in config/plugin
 * @property {object} [config]
 * @property {number} [awaits] how often the handler waits for nothing; default 0
 */

/**
 * @param {Subject} subject
 * @returns {number} µs
 */
function measure({ config, ...subject }) {
  const own = { keys: 'k', ...config, logger: { dir: base } };
  const env = { ...process.env, EGG_APP_CONFIG: JSON.stringify(own) };
  const args = [server, JSON.stringify({ baseDir: base, ...subject })];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  if (!stdout.trim()) throw new Error(stderr);
  return Number(stdout);
}

/**
 * Measures the subjects in turn: each round starts a process for each of them.
 *
 * @param {Record<string, Subject>} subjects
 * @param {number} rounds
 * @returns {Record<string, number[]>} µs per request, one value for each round
 */
export function measureInTurn(subjects, rounds) {
  const found = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, subject] of Object.entries(subjects)) found[name].push(measure(subject));
  }
  return found;
}
