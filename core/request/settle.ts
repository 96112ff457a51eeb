/** @returns the promise that a middleware returned, else one of what it returned: `next()` always returns a promise */
export function settle(result: unknown): Promise<unknown> {
  return result instanceof Promise ? result : Promise.resolve(result);
}
