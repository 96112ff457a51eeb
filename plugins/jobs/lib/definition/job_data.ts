import { ClutchError } from '../../../../errors.js';
import { pathText, type StandardSchema } from '../../../contract/lib/standard_schema.js';

/** Bytes of JSON; NATS takes messages of 1 MiB, and a record holds more than its data. */
const MAX_DATA = 512 * 1024;

/**
 * @returns what the schema makes of the data
 * @throws {ClutchError} ERR_CLUTCH_CONTRACT with each fault
 */
export async function validData(name: string, schema: StandardSchema | undefined, data: unknown): Promise<unknown> {
  if (!schema) return data;
  const result = await schema['~standard'].validate(data);
  if (!result.issues) return result.value;
  const faults = result.issues.map(({ message, path }) => ({ field: pathText(path) || 'data', message }));
  const error = new ClutchError('ERR_CLUTCH_CONTRACT', `data of job ${name} do not meet its schema`, {
    where: faults.map(({ field, message }) => `${field}: ${message}`),
    fix: 'Add the job with data that its schema takes.',
  });
  // Data that were kept under another schema will not meet this one later either.
  throw Object.assign(error, { retry: false, errors: faults.map((fault) => ({ code: 'invalid', ...fault })) });
}

/** @throws {ClutchError} ERR_CLUTCH_JOBS for data that are no JSON, or too much of it */
export function toJson(name: string, data: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(data) ?? 'null';
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_JOBS', `data of job ${name} cannot be written as JSON`, {
      where: (cause as Error).message,
      fix: 'Give objects, lists, texts, numbers and booleans only.',
      cause,
    });
  }
  if (Buffer.byteLength(text) > MAX_DATA) {
    throw new ClutchError('ERR_CLUTCH_JOBS', `data of job ${name} are larger than ${MAX_DATA / 1024} KiB`, {
      fix: 'Store them elsewhere, and give the job a reference to them.',
    });
  }
  return text;
}
