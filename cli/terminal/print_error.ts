import { inspect } from 'node:util';
import { toError } from '../../errors.js';
import { errorScreen, wantsStack } from '../../output/error_screen.js';
import { nameOwnFrames } from '../../output/own_frames.js';
import { maskText } from '../../output/secrets.js';

/** Prints what is wrong, where and what to do; with `--stack` all frames. */
export function printError(error: unknown): void {
  const text = wantsStack() ? nameOwnFrames(inspect(error)) : errorScreen(toError(error));
  console.error(maskText(String(text)));
}
