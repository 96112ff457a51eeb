import { isAsyncFunction, isClass } from '../files/export_kind.js';
import { isPlainObject } from '../load_unit.js';
import { maskSecret, placeholder, type SecretKeys } from './secrets.js';

/**
 * Turns config into what JSON can hold and anyone may see: secrets are masked, classes and instances described,
 * circular references written as `~path`.
 *
 * @param secrets names and patterns of keys whose values are hidden
 */
export function toDumpable(value: unknown, secrets: SecretKeys): unknown {
  const seen = new Map<object, string>();
  const convert = (current: unknown, keys: readonly string[]): unknown => {
    if (current === null || current === undefined) return current;
    if (isPlainObject(current) || Array.isArray(current)) {
      const known = seen.get(current);
      if (known !== undefined) return `~${known}`;
      seen.set(current, keys.join('.'));
      const converted = Array.isArray(current)
        ? current.map((item, index) => convert(item, [...keys, String(index)]))
        : Object.fromEntries(Object.entries(current).map(([key, item]) => [key, convert(item, [...keys, key])]));
      seen.delete(current);
      return converted;
    }
    const shown = maskSecret(keys, current, secrets);
    return shown === current ? describe(current) : shown;
  };
  return convert(value, []);
}

function describe(value: unknown): unknown {
  if (typeof value === 'function') {
    const kind = isClass(value) ? 'Class' : isAsyncFunction(value) ? 'AsyncFunction' : 'Function';
    return `<${kind} ${(value as { name: string }).name}>`;
  }
  if (value instanceof RegExp || value instanceof URL || typeof value === 'symbol' || typeof value === 'bigint') {
    return String(value);
  }
  return typeof value === 'object' ? placeholder(value) : value;
}
