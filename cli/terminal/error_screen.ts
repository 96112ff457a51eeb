import { ClutchError, toError } from '../../errors.js';
import { maskText } from '../../output/secrets.js';

/** Errors of Clutch are written for the reader; the stack of anything else is what one can go by. */
export function printError(error: unknown): void {
  const { message, stack } = toError(error);
  console.error(maskText(String(error instanceof ClutchError ? message : stack)));
}
