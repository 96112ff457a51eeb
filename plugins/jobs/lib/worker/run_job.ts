import type { Application } from '../../../../framework/index.js';
import { validData } from '../definition/job_data.js';
import type { JobDefinition } from '../definition/job_definition.js';
import type { TakenJob } from '../engine/attempt.js';
import type { Job } from '../options/options.js';

/**
 * Runs one attempt in this process, with an anonymous context.
 *
 * @param abort of `job.signal`
 * @returns what the handler returns
 * @throws what it throws; ERR_CLUTCH_CONTRACT if the data do not meet the schema; an error when the time limit is over
 */
export async function runJob(
  app: Application,
  { name, schema, defaults, run }: JobDefinition,
  { id, key, data, attempt, attempts, addedAt }: Omit<TakenJob, 'token' | 'queue'>,
  abort: AbortController,
  progress: Job['progress'],
): Promise<unknown> {
  const valid = await validData(name, schema, JSON.parse(data));
  const { signal } = abort;
  const job: Job = { id, name, key, attempt, attempts, addedAt: new Date(addedAt), signal, progress };
  // Log lines of the context have method and URL.
  const request = { method: 'JOB', url: `/__job/${name}?id=${id}&attempt=${attempt}` };
  const running = app.runInAnonymousContextScope(async (ctx) => run(ctx, valid, job), request);
  return defaults.timeout === undefined ? running : withinLimit(defaults.timeout, running, abort);
}

/** The handler goes on if it does not heed `job.signal`: nothing can stop it. */
async function withinLimit(limit: number, running: Promise<unknown>, abort: AbortController): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`the job has not ended after ${limit} ms`);
      abort.abort(error);
      reject(error);
    }, limit);
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}
