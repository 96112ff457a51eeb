import { deserialize, serialize } from 'node:v8';

/** How a value is written: as JSON text, or in V8's format, which has more types and takes longer. */
export type Encoding = 0 | 1;
export const JSON_TEXT: Encoding = 0;
export const V8_FORMAT: Encoding = 1;

/** Deeper values are left to V8, which has no recursion limit of its own. */
const DEPTH = 100;

/**
 * Whether JSON gives the same value back. Dates, buffers, maps, class instances, numbers such as NaN, and holes in
 * arrays it does not; a property that is undefined is left out, which reads the same.
 */
export function isJsonSafe(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > DEPTH) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      if (!isJsonSafe(value[index], depth + 1)) return false;
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    const property = (value as Record<string, unknown>)[key];
    // JSON text with this key would be read as an own property, which is right, but not by every reader.
    if (key === '__proto__' || key === 'toJSON') return false;
    if (property !== undefined && !isJsonSafe(property, depth + 1)) return false;
  }
  return true;
}

/** @throws when the value holds something that cannot be copied, such as a function */
export function encodeRich(value: unknown): Buffer {
  return serialize(value);
}

/** @throws when the bytes are not of that encoding */
export function decodeValue(bytes: Buffer, encoding: Encoding): unknown {
  return encoding === JSON_TEXT ? JSON.parse(bytes.toString()) : deserialize(bytes);
}

/** @returns a copy as another process would get it */
export function copyValue<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  return isJsonSafe(value) ? JSON.parse(JSON.stringify(value)) : deserialize(serialize(value));
}
