import { hostname } from 'node:os';
import { nameOwnFrames } from '../../../output/own_frames.js';
import type { Masker } from '../../../output/secrets.js';

/** Characters of one property that are printed. */
const LONGEST_PROPERTY = 10_000;
/** Characters of the own properties of one error that are printed in all, and of its message or stack. */
const LONGEST_TEXT = 50_000;
/** Inner errors and causes that are printed in all. */
const MAX_ERRORS = 50;

/** @returns name, stack, own properties, errors of an AggregateError and causes, as Egg prints them */
export function formatError(error: Error, masker: Masker, maxCauses: number): string {
  return `${describe(error, { masker, maxCauses, described: new Set() }, 0)}\npid: ${process.pid}\nhostname: ${hostname()}\n`;
}

type ErrorLike = Partial<Error> & { code?: unknown; host?: unknown; errors?: unknown };

interface Description {
  masker: Masker;
  maxCauses: number;
  /** What was described so far: an error that is its own cause, or that several share, is described once. */
  described: Set<unknown>;
}

function describe(thrown: unknown, description: Description, depth: number): string {
  const { masker, maxCauses, described } = description;
  described.add(thrown);
  const error = Object(thrown) as ErrorLike;
  const { name = 'no_name', message, code, host, stack, cause, errors } = error;
  const shownName = name === 'Error' && typeof code === 'string' ? `${code}Error` : name;
  const shownHost = typeof host === 'string' && host !== '' ? ` (${host})` : '';
  const shownMessage = shorten(String(message || 'no_message'), LONGEST_TEXT);
  const frames = stack ? nameOwnFrames(framesOf(stack, message)) : 'no_stack';
  let text = `nodejs.${shownName}: ${shownMessage}${shownHost}\n${frames}\n${ownProperties(error, masker)}`;
  if (depth >= maxCauses) return text;
  const nested = (label: string, inner: unknown): string => {
    if (described.size >= MAX_ERRORS || (typeof inner === 'object' && described.has(inner))) return '';
    return `\n${label}:\n\n${describe(inner, description, depth + 1)}`;
  };
  // What is no error in a property of that name, such as the faults of a validation, is printed with the properties.
  const inner = Array.isArray(errors) ? errors : [];
  if (!Object.prototype.propertyIsEnumerable.call(error, 'errors') || inner.some((each) => each instanceof Error)) {
    text += inner.map((each, index) => nested(`[error-${index}]`, each)).join('');
  }
  if (cause !== undefined && cause !== null) text += nested('cause', cause);
  return text;
}

/** @returns the stack without the message in front of it, which may have several lines */
function framesOf(stack: string, message: unknown): string {
  const at = typeof message === 'string' ? stack.indexOf(`${message}\n`) : -1;
  const frames = stack.slice(stack.indexOf('\n', at < 0 ? 0 : at + (message as string).length) + 1);
  return shorten(frames, LONGEST_TEXT);
}

function ownProperties(error: object, masker: Masker): string {
  const keys = Object.keys(error).filter((key) => key !== 'stack' && key !== 'message');
  const lines: string[] = [];
  let length = 0;
  for (const [index, key] of keys.entries()) {
    if (length > LONGEST_TEXT) {
      lines.push(`... and ${keys.length - index} more properties`);
      break;
    }
    const line = `${key}: ${ownProperty(error, key, masker)}`;
    length += line.length;
    lines.push(line);
  }
  return lines.join('\n');
}

function shorten(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

function ownProperty(error: object, key: string, masker: Masker): string {
  try {
    const value: unknown = Reflect.get(error, key);
    if (masker.hides(key, value)) return '"***"';
    const text = toJson(value);
    return shorten(text, LONGEST_PROPERTY);
  } catch (reason) {
    return `<${(reason as Error).message}>`;
  }
}

/** @returns JSON in which a Buffer is what `inspect` shows of it and a circular reference `"~"` */
function toJson(value: unknown): string {
  const above: object[] = [];
  const replace = function (this: object, key: string, current: unknown): unknown {
    const original: unknown = Reflect.get(this, key);
    if (Buffer.isBuffer(original))
      return `<Buffer ${original
        .subarray(0, 50)
        .toString('hex')
        .replace(/(..)(?=.)/g, '$1 ')}>`;
    if (typeof current === 'bigint') return String(current);
    if (typeof current !== 'object' || current === null) return current;
    while (above.length > 0 && above.at(-1) !== this) above.pop();
    if (above.includes(current)) return '~';
    above.push(current);
    return current;
  };
  return String(JSON.stringify(value, replace));
}
