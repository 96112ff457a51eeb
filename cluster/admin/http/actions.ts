import { toError } from '../../../errors.js';
import { PROFILE_KINDS, type ProfileKind } from '../../protocol/profile_order.js';
import type { Actions } from '../page_data.js';
import type { PageSource } from '../page_source.js';
import { HttpError } from './respond.js';

/** Milliseconds that a schedule may run until the page gives up waiting; it goes on. */
const SCHEDULE_LIMIT = 60_000;
const JOBS_LIMIT = 10_000;
/** Characters of a request in the log. */
const LONGEST_LOGGED = 200;

type Fields = Record<string, unknown>;

interface Action {
  /** @throws {HttpError} 400 when the body is not as it must be */
  run(body: Fields, source: PageSource, asker: string): Promise<unknown>;
}

const ACTIONS: Record<keyof Actions, Action> = {
  reload: { run: (_, { operations }, asker) => operations.reload({ asker }) },
  restart: { run: (body, { operations }, asker) => operations.restart(integerOf(body, 'pid'), asker) },
  scale: { run: (body, { operations }, asker) => operations.scale(integerOf(body, 'workers'), asker) },
  runSchedule: {
    run: (body, { cluster }) => {
      const request = { command: 'run', name: textOf(body, 'key'), args: [] };
      return cluster.messenger.request('agent', 'clutch-schedule', request, { timeout: SCHEDULE_LIMIT });
    },
  },
  profile: {
    run: (body, { profiles }) => {
      const { kind, seconds } = body;
      if (typeof kind !== 'string' || !Object.hasOwn(PROFILE_KINDS, kind)) {
        throw new HttpError(400, `kind must be one of ${Object.keys(PROFILE_KINDS).join(', ')}`);
      }
      if (seconds !== undefined && typeof seconds !== 'number') throw new HttpError(400, 'seconds must be a number');
      return profiles.take({ pid: integerOf(body, 'pid'), kind: kind as ProfileKind, seconds });
    },
  },
  retryJob: {
    run: (body, { cluster }) => {
      const request = { command: 'retry', queue: textOf(body, 'queue'), id: textOf(body, 'id') };
      return cluster.messenger.request('agent', 'clutch-jobs', request, { timeout: JOBS_LIMIT });
    },
  },
};

export function isAction(name: string): name is keyof Actions {
  return Object.hasOwn(ACTIONS, name);
}

/**
 * Does what a button is for.
 *
 * @param body JSON
 * @param asker as the records of deaths name it
 * @throws {HttpError} 400 for a body that is not as it must be, 409 with the reason when it failed
 */
export async function runAction(
  name: keyof Actions,
  body: string,
  source: PageSource,
  asker: string,
): Promise<unknown> {
  const fields = parse(body);
  source.log.info(`${asker} asks for ${name} ${JSON.stringify(fields).slice(0, LONGEST_LOGGED)}`);
  try {
    return (await ACTIONS[name].run(fields, source, asker)) ?? null;
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(409, toError(error).message);
  }
}

function parse(body: string): Fields {
  try {
    const fields: unknown = JSON.parse(body);
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return fields as Fields;
  } catch {
    // Reported below.
  }
  throw new HttpError(400, 'the body is no JSON object');
}

function integerOf(body: Fields, name: string): number {
  const value = body[name];
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new HttpError(400, `${name} must be a whole number from 1 on`);
}

function textOf(body: Fields, name: string): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new HttpError(400, `${name} must be a text`);
}
