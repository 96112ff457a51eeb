import { deserialize, serialize } from 'node:v8';

/** How a value is written: as JSON text, or in V8's format, which has more types and is slower but for long texts. */
export type Encoding = 0 | 1;
export const JSON_TEXT: Encoding = 0;
export const V8_FORMAT: Encoding = 1;

/** Values that are nested deeper are written by V8, whose serializer does not recurse in JavaScript. */
const DEPTH = 100;

/** Characters from which V8, which copies a text as it is, is faster than JSON, which looks at each character. */
const LONG_TEXT = 3000;

/**
 * Whether JSON gives the same value back, and is the faster format for it. It does not for dates, buffers, maps, class instances, numbers such as NaN and
 * holes in arrays; a property that is undefined is left out, which reads the same.
 */
export function isJsonBest(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
      return value.length < LONG_TEXT;
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
      if (!isJsonBest(value[index], depth + 1)) return false;
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    const property = (value as Record<string, unknown>)[key];
    // JSON.parse reads `__proto__` as an own property, which code that copies the value may then assign.
    if (key === '__proto__' || key === 'toJSON') return false;
    if (property !== undefined && !isJsonBest(property, depth + 1)) return false;
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
  return isJsonBest(value) ? JSON.parse(JSON.stringify(value)) : deserialize(serialize(value));
}
