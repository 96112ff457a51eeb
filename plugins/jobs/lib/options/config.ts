import path from 'node:path';
import { ClutchError } from '../../../../errors.js';
import { type Agent, type Application, milliseconds } from '../../../../framework/index.js';
import { reveal, type Secret } from '../../../../output/secrets.js';
import type { BackoffTimes } from '../engine/backoff.js';
import type { EngineOptions } from '../engine/engine.js';
import type { Backoff, JobOptions, JobsConfig } from './options.js';

const ENGINES = ['redis', 'nats', 'sqlite', 'memory'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Options of all jobs of a name, with times read. */
export interface JobDefaults {
  attempts: number;
  backoff: BackoffTimes;
  /** Milliseconds; undefined for no limit. */
  timeout: number | undefined;
  /** Undefined for no limit of its own. */
  concurrency: number | undefined;
}

interface EngineConfig extends Omit<EngineOptions, 'onError'> {
  engine: EngineName;
  /** Jobs that an app worker runs at the same time. */
  concurrency: number;
}

/** @throws {ClutchError} ERR_CLUTCH_CONFIG */
export function readConfig({ config, plugins, name, baseDir }: Agent): EngineConfig {
  const given = config.jobs as JobsConfig;
  const fleet = plugins['fleet'] ? (config.fleet ?? {}) : {};
  const engine = given.engine ?? (fleet.adapter === 'redis' || fleet.adapter === 'nats' ? fleet.adapter : 'sqlite');
  if (!ENGINES.includes(engine)) {
    throw wrong('config.jobs.engine', engine, `Give one of: ${ENGINES.join(', ')}.`);
  }
  const shared = fleet.adapter === engine ? fleet : {};
  const { concurrency = 5, keep = {}, file = 'data/jobs.db' } = given;
  const app = given.name ?? fleet.name ?? name.replace(/[^\w-]+/g, '-').replace(/^-/, '');
  if (!/^[\w-]+$/.test(app)) throw wrong('config.jobs.name', app, 'Use letters, digits, _ and -.');
  const { completed = 100, failed = 1000 } = keep;
  const lease = milliseconds(given.lease ?? '30s', 'config.jobs.lease');
  if (lease < 1000) throw wrong('config.jobs.lease', given.lease, 'Give at least one second.');
  return {
    engine,
    source: given.url === undefined && shared.url !== undefined ? 'config.fleet' : 'config.jobs',
    url: reveal(given.url ?? (shared.url as string | Secret | undefined)),
    client: given.client ?? shared.client ?? {},
    name: app,
    file: path.resolve(baseDir, file),
    concurrency: wholeNumber(concurrency, 'config.jobs.concurrency', 1),
    lease,
    timeout: milliseconds(given.timeout ?? '5s', 'config.jobs.timeout'),
    keep: {
      completed: wholeNumber(completed, 'config.jobs.keep.completed', 0),
      failed: wholeNumber(failed, 'config.jobs.keep.failed', 1),
    },
    baseDir,
  };
}

/**
 * @param where the file, for errors
 * @throws {ClutchError} ERR_CLUTCH_CONFIG
 */
export function readJobOptions({ config }: Agent | Application, options: JobOptions, where: string): JobDefaults {
  const { attempts, backoff } = config.jobs as JobsConfig;
  const { timeout, concurrency } = options;
  return {
    attempts: wholeNumber(options.attempts ?? attempts ?? 3, `attempts of ${where}`, 1),
    backoff: readBackoff(options.backoff ?? backoff, `backoff of ${where}`),
    timeout: timeout === undefined ? undefined : milliseconds(timeout, `timeout of ${where}`),
    concurrency: concurrency === undefined ? undefined : wholeNumber(concurrency, `concurrency of ${where}`, 1),
  };
}

/** @throws {ClutchError} ERR_CLUTCH_CONFIG */
export function readBackoff(given: Backoff = {}, key: string): BackoffTimes {
  const {
    type = 'exponential',
    delay = '1s',
    max = '1h',
    jitter = 0.5,
  } = typeof given === 'object' ? given : { delay: given };
  if (type !== 'fixed' && type !== 'exponential') throw wrong(`${key}: type`, type, 'Give fixed or exponential.');
  if (!(jitter >= 0 && jitter <= 1)) throw wrong(`${key}: jitter`, jitter, 'Give a share from 0 to 1.');
  return { type, delay: milliseconds(delay, key), max: milliseconds(max, key), jitter };
}

/** @throws {ClutchError} ERR_CLUTCH_CONFIG */
export function wholeNumber(value: number, key: string, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw wrong(key, value, `Give a whole number from ${least} on.`);
}

function wrong(key: string, value: unknown, fix: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_CONFIG', `${key} is ${JSON.stringify(value)}`, { fix });
}
