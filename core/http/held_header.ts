const { validateHeaderName, validateHeaderValue } = process.getBuiltinModule('node:http');

/** A header that has passed validation. Nobody changes one: responses share it while their value is the same. */
export interface Held {
  /** The name in lower case. */
  readonly key: string;
  readonly name: string;
  /** Undefined if only the line is known so far. */
  readonly value: string | number | undefined;
  /** What is written of it; the length has none, as Node adds the one that it has measured. */
  readonly line: string;
}

/** Headers that decide how Node frames a response, or whose value Node encodes. */
const NODES_OWN = new Set([
  'connection',
  'content-disposition',
  'date',
  'expect',
  'keep-alive',
  'trailer',
  'transfer-encoding',
]);

/** What is remembered of a header name, by its spelling. */
interface Known {
  /** The name in lower case. */
  readonly key: string;
  readonly nodesOwn: boolean;
  /** The last header that was set by this name: most headers of an app have the same value in every response. */
  last: Held | undefined;
}

const names = new Map<string, Known>();
const NAMES_LIMIT = 1000;

export function keyOf(name: string): string {
  return names.get(name)?.key ?? name.toLowerCase();
}

/** @throws {TypeError} if `name` is not a valid header name, like Node */
export function knownOf(name: string): Known {
  let known = names.get(name);
  if (known === undefined) {
    validateHeaderName(name);
    const key = internalize(name.toLowerCase());
    known = { key, nodesOwn: NODES_OWN.has(key), last: undefined };
    if (names.size < NAMES_LIMIT) names.set(name, known);
  }
  return known;
}

export const LENGTH = internalize('content-length');

export function headerOf(key: string, name: string, value: string | number): Held {
  return { key, name, value, line: key === LENGTH ? '' : `${name}: ${value}\r\n` };
}

export function headerValue({ name, value, line }: Pick<Held, 'name' | 'line'> & Partial<Held>): string | number {
  return value ?? line.slice(name.length + ': '.length, -'\r\n'.length);
}

/** @returns -1 if it is not there */
export function indexOf(headers: readonly Held[], key: string): number {
  for (let index = 0; index < headers.length; index += 1) if ((headers[index] as Held).key === key) return index;
  return -1;
}

/** @returns the same text, as V8 keeps it for the keys of objects: two of these differ if their addresses do */
function internalize(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}

/** Headers that many responses have, checked and written out once. */
export class HeaderBlock {
  readonly headers: readonly Held[];
  readonly text: string;
  /** Whether a response can take the block as it is. */
  readonly isOrdinary: boolean;

  /**
   * @param headers names and values
   * @throws {TypeError} for an invalid name or value, like Node
   */
  constructor(headers: readonly (readonly [name: string, value: string])[]) {
    const byKey = new Map<string, Held>();
    for (const [name, value] of headers) {
      validateHeaderValue(name, value);
      const { key } = knownOf(name);
      byKey.set(key, headerOf(key, name, value));
    }
    this.headers = [...byKey.values()];
    this.text = this.headers.map(({ line }) => line).join('');
    this.isOrdinary = this.headers.every(({ key }) => key !== LENGTH && !NODES_OWN.has(key));
  }
}
