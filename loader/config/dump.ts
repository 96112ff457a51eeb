import { type Masker, Secret } from '../../output/secrets.js';
import { isAsyncFunction, isClass } from '../files/export_kind.js';
import { isPlainObject } from '../load_unit.js';

/** Stands for an object of config that holds a value. */
const AROUND = {};

/**
 * Turns config into what JSON can hold and anyone may see: secrets are masked, classes and instances described,
 * circular references written as `~path`.
 *
 * @param masker tells which keys and which parts of a text are hidden
 * @param keys where the value stands in config; undefined is returned if it is hidden together with what is around it
 */
export function toDumpable(value: unknown, masker: Masker, keys: readonly string[] = []): unknown {
  const seen = new Map<object, string>();
  const convert = (current: unknown, path: string, hidden: boolean): unknown => {
    if (current === null || current === undefined) return current;
    if (masker.hidesPath(path)) return placeholder(current);
    if (isPlainObject(current) || Array.isArray(current)) {
      const known = seen.get(current);
      if (known !== undefined) return `~${known}`;
      seen.set(current, path);
      const child = (key: string, below = hidden): unknown => {
        const item = readProperty(current, key);
        return convert(item, path === '' ? key : `${path}.${key}`, below || masker.hides(key, item));
      };
      const converted = Array.isArray(current)
        ? Array.from(current, (_item, index) => child(String(index)))
        : Object.fromEntries(Object.keys(current).map((key) => [masker.maskText(key), child(key)]));
      seen.delete(current);
      return converted;
    }
    return hidden ? placeholder(current) : describe(current, masker);
  };
  let place = '';
  let isHidden = false;
  for (const [index, key] of keys.entries()) {
    if (masker.hidesPath(place) || masker.maskText(key) !== key) return undefined;
    isHidden ||= masker.hides(key, index === keys.length - 1 ? value : AROUND);
    place = place === '' ? key : `${place}.${key}`;
  }
  return convert(value, place, isHidden);
}

/** A getter of the config may throw; the dump says so. */
function readProperty(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return '<getter threw>';
  }
}

function describe(value: unknown, masker: Masker): unknown {
  if (typeof value === 'function') {
    const kind = isClass(value) ? 'Class' : isAsyncFunction(value) ? 'AsyncFunction' : 'Function';
    return `<${kind} ${(value as { name: string }).name}>`;
  }
  if (typeof value === 'string') return masker.maskText(value);
  if (value instanceof RegExp || value instanceof URL || typeof value === 'symbol' || typeof value === 'bigint') {
    return masker.maskText(String(value));
  }
  return typeof value === 'object' ? placeholder(value) : value;
}

/** @returns a short description of a value that is not shown, e.g. `<String len: 12>` */
function placeholder(value: unknown): unknown {
  if (typeof value === 'string') return `<String len: ${value.length}>`;
  if (Buffer.isBuffer(value)) return `<Buffer len: ${value.length}>`;
  if (value instanceof Secret) return '<Secret>';
  if (typeof value === 'object') return `<${value?.constructor?.name ?? 'Object'}>`;
  const kind = typeof value;
  return `<${kind.charAt(0).toUpperCase()}${kind.slice(1)}>`;
}
