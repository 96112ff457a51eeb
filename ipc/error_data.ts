import { toError } from '../errors.js';
import { errorScreen, wantsStack } from '../output/error_screen.js';
import { nameOwnFrames } from '../output/own_frames.js';

/** An error as it crosses between processes. */
export interface ErrorData {
  name: string;
  message: string;
  code?: string | number;
  stack?: string;
  /** What to print unless someone asks for the stack, see `output/error_screen.ts`. */
  screen?: string;
}

/** How far an error's causes and inner errors are followed, and how many are written out in all. */
const MAX_DEPTH = 10;
const MAX_ERRORS = 20;

/** @returns what crosses of an error: its inner errors and its cause are written out below its stack */
export function describeError(thrown: unknown): ErrorData {
  const error = toError(thrown) as Error & { code?: unknown };
  const { name, message, code } = error;
  return {
    name,
    message,
    stack: writeOut(error, 0, new Set()),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
  };
}

/** @returns the same with what is to be printed of it, unless someone asks for stacks */
export function describeForScreen(thrown: unknown): ErrorData {
  const data = describeError(thrown);
  return wantsStack() ? data : { ...data, screen: errorScreen(toError(thrown)) };
}

/** @param written the errors so far: each is written out once, whatever refers to it */
function writeOut(error: Error, depth: number, written: Set<Error>): string {
  written.add(error);
  const { stack, cause, errors } = error as Error & { errors?: unknown };
  let text = stack ? nameOwnFrames(stack) : `${error.name}: ${error.message}`;
  const nested = (label: string, inner: unknown): void => {
    if (inner === undefined || inner === null || depth >= MAX_DEPTH || written.size >= MAX_ERRORS) return;
    const reason = toError(inner);
    if (!written.has(reason)) text += `\n  ${label} ${writeOut(reason, depth + 1, written)}`;
  };
  if (Array.isArray(errors))
    for (const [index, inner] of errors.slice(0, MAX_ERRORS).entries()) nested(`[errors ${index}]`, inner);
  nested('caused by', cause);
  return text;
}

/** @returns an error with the name, message, code and stack of the original */
export function reviveError({ name, message, code, stack }: ErrorData): Error {
  const error = new Error(message);
  for (const [key, value] of Object.entries({ name, stack })) {
    if (value !== undefined) Object.defineProperty(error, key, { value, configurable: true, writable: true });
  }
  return code === undefined ? error : Object.assign(error, { code });
}
