import type { Context } from '../../../../core/index.js';
import type { StandardSchema } from '../../../contract/lib/standard_schema.js';
import type { JobDefaults } from '../options/config.js';
import type { Job } from '../options/options.js';

export interface JobDefinition {
  /** Path below `app/job` without extension: `email/welcome`. */
  name: string;
  file: string;
  schema: StandardSchema | undefined;
  defaults: JobDefaults;
  run(ctx: Context, data: unknown, job: Job): unknown;
}
