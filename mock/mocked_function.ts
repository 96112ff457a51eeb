import { isGeneratorFunction } from 'node:util/types';

type Callable = (...args: unknown[]) => unknown;

/**
 * @param original what is replaced; an async or generator function makes the result a promise
 * @param value a function that takes its place, an Error that it throws, or what it returns
 * @returns the function that takes its place
 */
export function mockedFunction(original: Callable, value: unknown): Callable {
  if (typeof value === 'function') return value as Callable;
  const isAsync = original.constructor.name === 'AsyncFunction' || isGeneratorFunction(original);
  const give = (): unknown => {
    if (value instanceof Error) throw value;
    return value;
  };
  return isAsync ? async () => give() : give;
}
