import type { Context } from '../../../../core/index.js';
import type { OutputOf, StandardSchema } from '../../../contract/lib/standard_schema.js';
import type { Job, JobOptions } from '../options/options.js';

/** A function that is a job file, with its options. */
export type DefinedJob<Data, S extends StandardSchema | undefined> = {
  (ctx: Context, data: Data, job: Job): unknown;
  options: JobOptions;
  schema: S;
};

/**
 * Makes the export of a job file from a function.
 *
 * @param options of all jobs of this name; `schema`, of any library of the Standard Schema convention, is met by all data
 * @example export default defineJob({ schema: z.object({ to: z.email() }), attempts: 5 }, async (ctx, { to }, job) => { … })
 */
export function defineJob<S extends StandardSchema>(
  options: JobOptions & { schema: S },
  handler: (ctx: Context, data: OutputOf<S>, job: Job) => unknown,
): DefinedJob<OutputOf<S>, S>;
export function defineJob<Data>(
  options: JobOptions,
  handler: (ctx: Context, data: Data, job: Job) => unknown,
): DefinedJob<Data, undefined>;
export function defineJob(
  { schema, ...options }: JobOptions & { schema?: StandardSchema },
  handler: (ctx: Context, data: never, job: Job) => unknown,
): unknown {
  return Object.assign((ctx: Context, data: never, job: Job) => handler(ctx, data, job), { options, schema });
}
