import path from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ClutchError } from '../errors.js';

type Options = NonNullable<ParseArgsConfig['options']>;

export interface Arguments {
  values: Record<string, string | boolean | string[] | undefined>;
  /** The directory given first, absolute; the current one when none is given. */
  directory: string;
  /** The word that is no flag, as it was given. */
  given: string | undefined;
}

/** @throws {ClutchError} ERR_CLUTCH_CLI for an unknown flag or too many words */
export function parseArguments(args: string[], options: Options, usage: string): Arguments {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length > 1) throw new Error(`unexpected "${positionals[1]}"`);
    const [given] = positionals;
    return {
      values: values as Arguments['values'],
      directory: path.resolve(given ?? '.'),
      given,
    };
  } catch (cause) {
    const message = (cause as Error).message.split('. To specify')[0] as string;
    throw new ClutchError('ERR_CLUTCH_CLI', message, { fix: `Usage: ${usage}`, cause });
  }
}
