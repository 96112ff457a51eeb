import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { OneWriteResponse } from './one_write_response.js';

const {
  ServerResponse: NodeResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} = process.getBuiltinModule('node:http');

interface Held {
  /** The name in lower case. */
  key: string;
  name: string;
  value: string | number;
}

/** What Node's `end` and `writeHead` keep on a response. */
interface Internals {
  _header: string | null;
  _hasBody: boolean;
  _contentLength: number | null;
  _expect_continue: boolean;
  useChunkedEncodingByDefault: boolean;
  _storeHeader(firstLines: string, headers: null): void;
}

/** Headers that decide how Node frames a response, or that it encodes itself. */
const NODES_OWN = new Set([
  'connection',
  'content-disposition',
  'date',
  'expect',
  'keep-alive',
  'trailer',
  'transfer-encoding',
]);

/** What is known of a header by how its name is written. */
interface Known {
  /** The name in lower case. */
  key: string;
  nodesOwn: boolean;
  /** The value that was found valid last. */
  valid: unknown;
}

const names = new Map<string, Known>();
const NAMES_LIMIT = 1000;

function keyOf(name: string): string {
  return names.get(name)?.key ?? name.toLowerCase();
}

/** @throws {TypeError} as Node does for a name that is none */
function knownOf(name: string): Known {
  let known = names.get(name);
  if (known === undefined) {
    validateHeaderName(name);
    const key = name.toLowerCase();
    known = { key, nodesOwn: NODES_OWN.has(key), valid: undefined };
    if (names.size < NAMES_LIMIT) names.set(name, known);
  }
  return known;
}

const proto = NodeResponse.prototype as ServerResponse & Internals & { writeHeader?: unknown };
const canStore = typeof proto._storeHeader === 'function';

/** Node has the method under two names: a tracer that wraps it wraps one, and is to see every answer. */
function isWrapped(): boolean {
  return proto.writeHeader !== undefined && proto.writeHead !== proto.writeHeader;
}

/**
 * Node's response, with a short way for the head of an ordinary answer: headers are kept in a list and written as they
 * are, where Node fills a dictionary and looks at each name twice. Whatever is not ordinary goes to Node's own methods,
 * together with the headers set so far, so that a client or a middleware sees what it would see without this class.
 */
export class FastResponse<Request extends IncomingMessage = IncomingMessage> extends OneWriteResponse<Request> {
  /** The headers set so far; null from when Node has them. */
  #held: Held[] | null = [];

  /** Gives Node the headers, unless they have been written. */
  #hand(): void {
    const held = this.#held;
    if (held === null || (this as unknown as Internals)._header !== null) return;
    this.#held = null;
    for (const { name, value } of held) super.setHeader(name, value);
  }

  #find(held: Held[], key: string): Held | undefined {
    for (let index = 0; index < held.length; index += 1) {
      const header = held[index] as Held;
      if (header.key === key) return header;
    }
    return undefined;
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    if (this.#hold(name, value)) return this;
    this.#hand();
    return super.setHeader(name, value);
  }

  /** @returns false when the header is one for Node */
  #hold(name: unknown, value: unknown): boolean {
    const held = this.#held;
    if (held === null || (this as unknown as Internals)._header !== null || typeof name !== 'string') return false;
    if (typeof value !== 'string' && typeof value !== 'number') return false;
    const known = knownOf(name);
    if (known.nodesOwn) return false;
    const { key } = known;
    if (value !== known.valid) {
      validateHeaderValue(name, value as string);
      known.valid = value;
    }
    const same = this.#find(held, key);
    if (same === undefined) {
      held.push({ key, name, value });
    } else {
      same.name = name;
      same.value = value;
    }
    return true;
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
    this.#hand();
    return (super.writeHead as (status: number, ...rest: unknown[]) => this)(status, ...rest);
  }

  /** @returns false when the answer is not an ordinary one */
  #writeHeld(status: number): boolean {
    const held = this.#held;
    const internals = this as unknown as Internals;
    if (held === null || internals._header !== null || !canStore || isWrapped()) return false;
    const message = STATUS_CODES[status];
    if (message === undefined || typeof status !== 'number' || status < 200 || status === 204 || status === 304)
      return false;
    if (this.statusMessage && this.statusMessage !== message) return false;
    if (!internals._hasBody || !internals.useChunkedEncodingByDefault || internals._expect_continue) return false;
    let head = `HTTP/1.1 ${status} ${message}\r\n`;
    for (let index = 0; index < held.length; index += 1) {
      const { key, name, value } = held[index] as Held;
      if (key !== 'content-length') head += `${name}: ${value}\r\n`;
      // Node writes the length that it has measured.
      else if (Number(value) !== internals._contentLength) return false;
    }
    this.statusCode = status;
    this.statusMessage = message;
    internals._storeHeader(head, null);
    return true;
  }

  override removeHeader(name: string): void {
    this.#hand();
    super.removeHeader(name);
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    this.#hand();
    return super.appendHeader(name, value);
  }

  override setHeaders(headers: Headers | Map<string, number | string | readonly string[]>): this {
    this.#hand();
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

  // In Node's documentation, but not in its types.
  getRawHeaderNames(): string[] {
    return (
      this.#held?.map(({ name }) => name) ??
      (proto as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames.call(this)
    );
  }
}
