import { ClutchError } from '../errors.js';

interface UsageErrorDetail {
  /** Whose help is named; default the command that runs, '' for `clutch` itself. */
  command?: string | undefined;
  where?: string;
}

/** @returns an error for a command line that is wrong, which names the help that shows the right one */
export function usageError(what: string, { command = process.argv[2], where }: UsageErrorDetail = {}): ClutchError {
  const fix = `\`${['clutch', command, '--help'].filter(Boolean).join(' ')}\` shows how it is used.`;
  return new ClutchError('ERR_CLUTCH_CLI', what, { where, fix });
}
