import { ClutchError } from '../errors.js';

/** What a script can tell from the exit code of `clutch`; docs/cli.md has the same table. */
export const EXIT_CODES = {
  0: 'done',
  1: 'the app or the command failed; stderr says why',
  2: 'the command line is wrong: unknown command, option or value',
  3: 'no app of Clutch runs in the directory',
  4: 'the app runs already',
} as const;

/** @returns the exit code that an error ends `clutch` with */
export function exitCodeOf(error: unknown): keyof typeof EXIT_CODES {
  if (!(error instanceof ClutchError)) return 1;
  switch (error.code) {
    case 'ERR_CLUTCH_CLI':
      return 2;
    case 'ERR_CLUTCH_NOT_RUNNING':
      return 3;
    case 'ERR_CLUTCH_RUNNING':
      return 4;
    default:
      return 1;
  }
}
