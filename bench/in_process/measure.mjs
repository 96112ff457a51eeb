// Processor time per request in a fresh process without a network: requests arrive through a stream in memory.
import { fork } from 'node:child_process';
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
 * @property {string[]} [traced] channels with a subscriber that does nothing
 * @property {number} [awaits] how often the handler waits for nothing; default 0
 */

/** Requests before the first turn: what a process runs often is compiled then. */
const WARM_UP = 30_000;
/** Short turns: a phase in which a shared machine is slow meets all subjects. */
const REQUESTS = 4000;
const TURNS = 8;

/**
 * Measures the subjects in turns: each round starts a process for each of them, and these take turns.
 *
 * @param {Record<string, Subject>} subjects
 * @param {number} rounds
 * @returns {Promise<Record<string, number[]>>} µs per request, one value for each turn; values with the same index were taken side by side
 */
export async function measureInTurn(subjects, rounds) {
  const found = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const children = [];
    for (const [name, subject] of Object.entries(subjects)) children.push([name, await start(subject)]);
    for (const [, child] of children) await serve(child, WARM_UP);
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const [name, child] of children) found[name].push(await serve(child, REQUESTS));
    }
    for (const [, child] of children) child.disconnect();
  }
  return found;
}

async function start({ config, ...subject }) {
  const own = { keys: 'k', ...config, logger: { dir: base } };
  const child = fork(server, [JSON.stringify({ baseDir: base, ...subject })], {
    env: { ...process.env, EGG_APP_CONFIG: JSON.stringify(own) },
  });
  await reply(child);
  return child;
}

async function serve(child, requests) {
  child.send({ requests });
  return reply(child);
}

function reply(child) {
  return new Promise((resolve, reject) => {
    const fail = (code) => reject(new Error(`a process ended with ${code}`));
    child.once('exit', fail).once('message', (message) => {
      child.off('exit', fail);
      resolve(message);
    });
  });
}
