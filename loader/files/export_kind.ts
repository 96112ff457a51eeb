import type { ClutchError } from '../../errors.js';

const CLASS_SOURCE = /^class[\s{]/;
const COMPILED_CLASS = /_classCallCheck|Cannot call a class as a function/;

/** A class of the user; what its constructor takes is not known. */
export interface AnyClass {
  new (...args: unknown[]): object;
  readonly prototype: object;
  readonly name: string;
}

export function isClass(value: unknown): value is AnyClass {
  if (typeof value !== 'function') return false;
  const source = Function.prototype.toString.call(value);
  return CLASS_SOURCE.test(source) || COMPILED_CLASS.test(source);
}

export function isAsyncFunction(value: unknown): boolean {
  const kind = Object.prototype.toString.call(value);
  return kind === '[object AsyncFunction]' || kind === '[object AsyncGeneratorFunction]';
}

export function isGeneratorFunction(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object GeneratorFunction]';
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/**
 * Calls a function of the user whose result is needed immediately. An async function is not called at all.
 *
 * @param fn the function, to see whether it is async
 * @param call calls it
 * @returns its result
 * @throws {ClutchError} the result of `refusal` if the function is async or returns a promise
 */
export function callSynchronously<T>(fn: unknown, call: () => T, refusal: () => ClutchError): T {
  if (isAsyncFunction(fn)) throw refusal();
  const result = call();
  if (!isPromise(result)) return result;
  // The refusal is reported, not what the promise rejects with.
  result.then(undefined, () => undefined);
  throw refusal();
}
