/** A directory that follows the conventions. */
export interface LoadUnit {
  path: string;
  type: 'plugin' | 'framework' | 'app';
  /** The plugin's name. */
  name?: string;
}

export type ConfigObject = Record<string, unknown>;

/** @returns true for an object that merging descends into; any other value replaces */
export function isPlainObject(value: unknown): value is ConfigObject {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // Objects of another realm (vm, jest) have their own Object.prototype.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}
