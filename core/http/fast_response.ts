import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { hasOrdinaryHead, isWriteHeadReplaced, measuredLength, rawHeaderNames, storeHead } from './node_internals.js';
import { SingleWriteResponse } from './single_write_response.js';

const { STATUS_CODES, validateHeaderName, validateHeaderValue } = process.getBuiltinModule('node:http');

/** A header that has passed validation. Nobody changes one: responses share it while their value is the same. */
interface Held {
  /** The name in lower case. */
  readonly key: string;
  readonly name: string;
  readonly value: string | number;
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

function keyOf(name: string): string {
  return names.get(name)?.key ?? name.toLowerCase();
}

/** @throws {TypeError} if `name` is not a valid header name, like Node */
function knownOf(name: string): Known {
  let known = names.get(name);
  if (known === undefined) {
    validateHeaderName(name);
    const key = internalize(name.toLowerCase());
    known = { key, nodesOwn: NODES_OWN.has(key), last: undefined };
    if (names.size < NAMES_LIMIT) names.set(name, known);
  }
  return known;
}

const LENGTH = internalize('content-length');

function headerOf(key: string, name: string, value: string | number): Held {
  return { key, name, value, line: key === LENGTH ? '' : `${name}: ${value}\r\n` };
}

/** By status, for the message that a status has had last: an app may change `http.STATUS_CODES`. */
const firstLines: { message: string; line: string }[] = [];

function firstLineOf(status: number, message: string): string {
  let known = firstLines[status];
  if (known?.message !== message) {
    known = { message, line: `HTTP/1.1 ${status} ${message}\r\n` };
    firstLines[status] = known;
  }
  return known.line;
}

/** @returns the same text, as V8 keeps it for the keys of objects: two of these differ if their addresses do */
function internalize(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}

/**
 * Node's response, with a short way for the head of an ordinary response: headers are kept in a list and written as they
 * are, where Node fills a dictionary and looks at each name twice. Any other response takes Node's own methods with the
 * headers set so far, so that a client or a middleware sees what it would see without this class.
 */
export class FastResponse<Request extends IncomingMessage = IncomingMessage> extends SingleWriteResponse<Request> {
  /** The headers set so far; null once Node has them. */
  #held: Held[] | null = [];

  /** Gives Node the headers, unless they are sent. */
  #giveToNode(): void {
    const held = this.#held;
    if (held === null || this.headersSent) return;
    this.#held = null;
    for (const { name, value } of held) super.setHeader(name, value);
  }

  /** @returns -1 if it is not there */
  #indexOf(held: Held[], key: string): number {
    for (let index = 0; index < held.length; index += 1) if ((held[index] as Held).key === key) return index;
    return -1;
  }

  #find(held: Held[], key: string): Held | undefined {
    const index = this.#indexOf(held, key);
    return index < 0 ? undefined : held[index];
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    if (this.#hold(name, value)) return this;
    this.#giveToNode();
    return super.setHeader(name, value);
  }

  /**
   * Sets a header whose value is known to be valid, such as one made of base64 text. Checking one that is another for each
   * response takes longer than all else that is done for it.
   */
  setValidHeader(name: string, value: string): void {
    const held = this.#held;
    const known = knownOf(name);
    if (held === null || this.headersSent || known.nodesOwn) this.setHeader(name, value);
    else this.#keep(held, headerOf(known.key, name, value));
  }

  /** @returns false if Node must handle the header */
  #hold(name: unknown, value: unknown): boolean {
    const held = this.#held;
    if (held === null || this.headersSent || typeof name !== 'string') return false;
    if (typeof value !== 'string' && typeof value !== 'number') return false;
    const known = knownOf(name);
    if (known.nodesOwn) return false;
    let header = known.last;
    if (header === undefined || header.value !== value) {
      validateHeaderValue(name, value as string);
      header = headerOf(known.key, name, value);
      known.last = header;
    }
    this.#keep(held, header);
    return true;
  }

  #keep(held: Held[], header: Held): void {
    const index = this.#indexOf(held, header.key);
    if (index < 0) held.push(header);
    else held[index] = header;
  }

  override getHeader(name: string): number | string | string[] | undefined {
    const held = this.#held;
    if (held !== null && typeof name === 'string') return this.#find(held, keyOf(name))?.value;
    return super.getHeader(name);
  }

  override hasHeader(name: string): boolean {
    const held = this.#held;
    if (held !== null && typeof name === 'string') return this.#find(held, keyOf(name)) !== undefined;
    return super.hasHeader(name);
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    if (rest.length === 0 && this.#writeHeld(status)) return this;
    this.#giveToNode();
    return (super.writeHead as (status: number, ...rest: unknown[]) => this)(status, ...rest);
  }

  /** @returns false if Node must write the head */
  #writeHeld(status: number): boolean {
    const held = this.#held;
    if (held === null || this.headersSent || isWriteHeadReplaced()) return false;
    const message = STATUS_CODES[status];
    if (message === undefined || typeof status !== 'number' || status < 200 || status === 204 || status === 304)
      return false;
    if (this.statusMessage && this.statusMessage !== message) return false;
    if (!hasOrdinaryHead(this)) return false;
    let head = firstLineOf(status, message);
    for (let index = 0; index < held.length; index += 1) {
      const { key, value, line } = held[index] as Held;
      if (key !== LENGTH) head += line;
      else if (Number(value) !== measuredLength(this)) return false;
    }
    this.statusCode = status;
    this.statusMessage = message;
    storeHead(this, head);
    return true;
  }

  override removeHeader(name: string): void {
    this.#giveToNode();
    super.removeHeader(name);
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    this.#giveToNode();
    return super.appendHeader(name, value);
  }

  override setHeaders(headers: Headers | Map<string, number | string | readonly string[]>): this {
    this.#giveToNode();
    return super.setHeaders(headers);
  }

  override getHeaders(): OutgoingHttpHeaders {
    const held = this.#held;
    if (held === null) return super.getHeaders();
    const headers: OutgoingHttpHeaders = Object.create(null);
    for (const { key, value } of held) headers[key] = value;
    return headers;
  }

  override getHeaderNames(): string[] {
    return this.#held?.map(({ key }) => key) ?? super.getHeaderNames();
  }

  getRawHeaderNames(): string[] {
    return this.#held?.map(({ name }) => name) ?? rawHeaderNames(this);
  }
}

/** Sets a header whose value is known to be valid, on a response of any class. */
export function setValidHeader(
  res: ServerResponse & Partial<Pick<FastResponse, 'setValidHeader'>>,
  name: string,
  value: string,
): void {
  if (res.setValidHeader) res.setValidHeader(name, value);
  else res.setHeader(name, value);
}
