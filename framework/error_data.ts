import { toError } from '../errors.js';

/** An error as it crosses between processes. */
export interface ErrorData {
  name: string;
  message: string;
  code?: string | number;
  stack?: string;
}

export function describeError(thrown: unknown): ErrorData {
  const { name, message, code, stack } = toError(thrown) as Error & { code?: unknown };
  return { name, message, stack, ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}) };
}

/** @returns an error with the name, message, code and stack of the original */
export function reviveError({ name, message, code, stack }: ErrorData): Error {
  const error = new Error(message);
  for (const [key, value] of Object.entries({ name, stack })) {
    if (value !== undefined) Object.defineProperty(error, key, { value, configurable: true, writable: true });
  }
  return code === undefined ? error : Object.assign(error, { code });
}
