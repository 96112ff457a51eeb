import { ClutchError } from '../../../../errors.js';
import { maskText } from '../../../../output/secrets.js';
import { isJobId } from '../definition/job_id.js';
import type { JobEngine } from '../engine/engine.js';
import type { JobsCommand, QueueReport } from './wire.js';

/** Failed jobs that a report of a queue has. */
const FAILED_SHOWN = 50;

/**
 * Does what `clutch jobs` and the admin page ask.
 *
 * @param names of the jobs of this app
 * @throws {ClutchError} ERR_CLUTCH_NOT_FOUND with the names that there are, ERR_CLUTCH_CONTROL for what is no command
 */
export async function obey(engine: JobEngine, names: string[], request: JobsCommand): Promise<unknown> {
  const known = (name: string): string => {
    if (names.includes(name)) return name;
    throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `there is no job ${name}`, {
      fix: `There are: ${names.join(', ') || 'none'}.`,
    });
  };
  switch (request.command) {
    case 'list':
      return reports(engine, request.queue === undefined ? names : [known(request.queue)], FAILED_SHOWN);
    case 'counts':
      return reports(engine, names, 0);
    case 'retry':
      return retry(engine, request.queue === undefined ? names : [known(request.queue)], request.id);
    case 'pause':
    case 'resume': {
      await engine.pause(known(request.queue), request.command === 'pause');
      const [report] = await reports(engine, [request.queue], 0);
      return report;
    }
    default:
      throw new ClutchError(
        'ERR_CLUTCH_CONTROL',
        `jobs have no command ${JSON.stringify((request as { command?: unknown }).command)}`,
        {
          fix: 'There are: list, counts, retry, pause, resume.',
        },
      );
  }
}

function reports(engine: JobEngine, names: string[], failedShown: number): Promise<QueueReport[]> {
  return Promise.all(
    names.map(async (name) => {
      const [counts, paused, failed] = await Promise.all([
        engine.counts(name),
        engine.isPaused(name),
        failedShown > 0 ? engine.list(name, 'failed', failedShown) : [],
      ]);
      const failedJobs = failed.map(({ id, key, error, endedAt, failures }) => ({
        id,
        ...(key === undefined ? {} : { key }),
        error: maskText(error?.message ?? ''),
        at: new Date(endedAt ?? 0).toISOString(),
        attempts: failures,
      }));
      return { name, paused, ...counts, failedJobs };
    }),
  );
}

async function retry(engine: JobEngine, names: string[], id: string): Promise<{ name: string; id: string }> {
  if (isJobId(id)) for (const name of names) if (await engine.retry(name, id)) return { name, id };
  throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `there is no failed job ${id}`, {
    fix: '`clutch jobs list` shows those that there are.',
  });
}
