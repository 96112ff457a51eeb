import { toError } from '../errors.js';

/** An error as it crosses between processes. */
export interface ErrorData {
  name: string;
  message: string;
  code?: string | number;
  stack?: string;
}

/** @returns what crosses of an error: its cause is written out below its stack */
export function describeError(thrown: unknown): ErrorData {
  const { name, message, code, stack, cause } = toError(thrown) as Error & { code?: unknown };
  const reason = cause instanceof Error ? `\n  caused by ${cause.stack}` : '';
  return {
    name,
    message,
    stack: `${stack}${reason}`,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
  };
}

/** @returns an error with the name, message, code and stack of the original */
export function reviveError({ name, message, code, stack }: ErrorData): Error {
  const error = new Error(message);
  for (const [key, value] of Object.entries({ name, stack })) {
    if (value !== undefined) Object.defineProperty(error, key, { value, configurable: true, writable: true });
  }
  return code === undefined ? error : Object.assign(error, { code });
}
