// Logs lines with one library to a file and reports how long it took until all were in it.
// node process.mjs <kind> <directory of the peers> <directory for logs>
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextIteration, setTimeout as sleep } from 'node:timers/promises';
import { requirePeer } from '../peers.mjs';

const [kind, peers, dir] = process.argv.slice(2);
/** Lines in one iteration of the event loop, as under load. */
const SLICE = 500;

const KINDS = {
  async clutch() {
    const { start } = await import('../../dist/index.js');
    mkdirSync(path.join(dir, 'config'), { recursive: true });
    writeFileSync(path.join(dir, 'package.json'), '{ "name": "bench" }');
    const config = { keys: 'k', logger: { dir: path.join(dir, 'logs'), consoleLevel: 'NONE' } };
    writeFileSync(path.join(dir, 'config/config.default.js'), `module.exports = ${JSON.stringify(config)};`);
    const app = await start({ baseDir: dir, env: 'local' });
    return { logger: app.logger, file: path.join(dir, 'logs/bench-web.log'), flush: () => app.loggers.flush() };
  },
  'egg-logger'() {
    const { EggLoggers } = requirePeer(peers, 'egg-logger');
    const names = {
      appLogName: 'web.log',
      coreLogName: 'core.log',
      agentLogName: 'agent.log',
      errorLogName: 'error.log',
    };
    const config = { type: 'application', dir, level: 'INFO', consoleLevel: 'NONE', buffer: true, encoding: 'utf8' };
    const { logger } = new EggLoggers({ logger: { ...config, ...names, coreLogger: {} } });
    return { logger, file: path.join(dir, 'web.log'), flush: () => logger.get('file').flush() };
  },
  pino() {
    const pino = requirePeer(peers, 'pino');
    const file = path.join(dir, 'pino.log');
    return { logger: pino(pino.destination({ dest: file, mkdir: true })), file, flush: () => undefined };
  },
  'pino, asynchronous'() {
    const pino = requirePeer(peers, 'pino');
    const file = path.join(dir, 'pino-async.log');
    const destination = pino.destination({ dest: file, mkdir: true, sync: false, minLength: 4096 });
    return { logger: pino(destination), file, flush: () => destination.flushSync() };
  },
};

const CALLS = {
  text: (logger) => logger.info('user 42 has bought the book of the month in shop 7'),
  format: (logger) => logger.info('user %d has bought %s in shop %d', 42, 'the book of the month', 7),
};

const { logger, file, flush } = await KINDS[kind]();
const sizeOf = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Waits until the file no longer grows towards a size. */
async function reaches(size) {
  const deadline = Date.now() + 60_000;
  while (sizeOf() < size) {
    if (Date.now() > deadline) throw new Error(`${kind}: ${sizeOf()} of ${size} bytes`);
    flush();
    await sleep(1);
  }
}

/** @returns bytes of one line */
async function lineSize(call) {
  const before = sizeOf();
  call(logger);
  flush();
  await reaches(before + 1);
  await sleep(50);
  return sizeOf() - before;
}

process.on('message', async ({ what, count }) => {
  const call = CALLS[what];
  const goal = count * (await lineSize(call)) + sizeOf();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  for (let done = 0; done < count; done += SLICE) {
    for (let index = 0; index < SLICE; index += 1) call(logger);
    await nextIteration();
  }
  flush();
  await reaches(goal);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  process.send({ perSecond: count / seconds, cpu: (user + system) / count });
});
process.send('ready');
