import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Context } from '../../../../core/index.js';
import { ClutchError } from '../../../../errors.js';
import type { Agent, Application } from '../../../../framework/index.js';
import type { StandardSchema } from '../../../contract/lib/standard_schema.js';
import { readJobOptions } from '../options/config.js';
import type { Job, JobOptions } from '../options/options.js';
import type { JobDefinition } from './job_definition.js';
import { JobQueue, type JobSender } from './job_queue.js';

interface JobClass {
  new (ctx: Context): { handle(data: unknown, job: Job): unknown };
  options?: JobOptions;
  schema?: StandardSchema;
}

interface JobExports {
  options?: JobOptions;
  schema?: StandardSchema;
  handle?(ctx: Context, data: unknown, job: Job): unknown;
}

/**
 * Loads `app/job` of every load unit into `app.jobs`, in the Agent and in workers alike.
 *
 * @returns jobs by name; the app's own replace those of plugins
 * @throws {ClutchError} ERR_CLUTCH_CONFIG for a file that is no job, and what the loader throws
 */
export function loadJobs(app: Agent | Application, sender: JobSender): Map<string, JobDefinition> {
  const found = new Map<string, JobDefinition>();
  const directories = app.loader.getLoadUnits().map((unit) => path.join(unit.path, 'app/job'));
  for (const dir of directories.filter((each) => existsSync(each))) {
    app.loader.loadToApp(dir, 'jobs', {
      call: false,
      override: true,
      caseStyle: 'lower',
      initializer: (exports: unknown, { path: file }: { path: string }) => {
        const name = nameOf(path.relative(dir, file));
        const definition = {
          name,
          file,
          ...partsOf(exports, file),
          defaults: readJobOptions(app, optionsOf(exports), file),
        };
        found.set(name, definition);
        return new JobQueue(definition, sender);
      },
    });
  }
  return found;
}

function nameOf(file: string): string {
  return file.slice(0, -path.extname(file).length).replaceAll(path.sep, '/');
}

function optionsOf(exports: unknown): JobOptions {
  return (exports as JobExports).options ?? {};
}

function partsOf(exports: unknown, file: string): Pick<JobDefinition, 'schema' | 'run'> {
  const { schema, handle } = (exports ?? {}) as JobExports;
  if (schema !== undefined && typeof schema['~standard']?.validate !== 'function') {
    throw notAJob('its schema is of no Standard Schema library', file);
  }
  if (isJobClass(exports)) return { schema, run: (ctx, data, job) => new exports(ctx).handle(data, job) };
  const run = typeof exports === 'function' ? (exports as NonNullable<JobExports['handle']>) : handle;
  if (typeof run !== 'function') throw notAJob('it exports no handler', file);
  return { schema, run };
}

function isJobClass(exports: unknown): exports is JobClass {
  return (
    typeof exports === 'function' &&
    typeof (exports as { prototype?: { handle?: unknown } }).prototype?.handle === 'function'
  );
}

function notAJob(what: string, where: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_CONFIG', `a file of app/job is no job: ${what}`, {
    where,
    fix: 'Export a class with handle(data, job), a function (ctx, data, job), or what defineJob() returns.',
  });
}
