import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type HeaderBlock, type Held, headerOf, headerValue, indexOf, keyOf, knownOf, LENGTH } from './held_header.js';
import { hasOrdinaryHead, isWriteHeadReplaced, measuredLength, rawHeaderNames, storeHead } from './node_internals.js';
import { SingleWriteResponse } from './single_write_response.js';

const { STATUS_CODES, validateHeaderValue } = process.getBuiltinModule('node:http');

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

/**
 * Node's response, with a short way for the head of an ordinary response: headers are kept in a list and written as they
 * are, where Node fills a dictionary and looks at each name twice. Any other response takes Node's own methods with the
 * headers set so far, so that a client or a middleware sees what it would see without this class.
 */
export class FastResponse<Request extends IncomingMessage = IncomingMessage> extends SingleWriteResponse<Request> {
  /** The headers set so far; null once Node has them. */
  #held: Held[] | null = [];
  /** Headers that come after the first `#blockIndex` ones. */
  #block: HeaderBlock | null = null;
  #blockIndex = 0;

  /** Makes the headers of the block ordinary ones, so that they can be changed. */
  #unfoldBlock(): Held[] | null {
    const held = this.#held;
    const block = this.#block;
    if (held === null || block === null) return held;
    this.#block = null;
    held.splice(this.#blockIndex, 0, ...block.headers);
    return held;
  }

  /** Gives Node the headers, unless they are sent. */
  #giveToNode(): void {
    const held = this.#unfoldBlock();
    if (held === null || this.headersSent) return;
    this.#held = null;
    for (const header of held) super.setHeader(header.name, headerValue(header));
  }

  #find(held: readonly Held[], key: string): Held | undefined {
    const index = indexOf(held, key);
    if (index >= 0) return held[index];
    const block = this.#block;
    if (block === null) return undefined;
    const inBlock = indexOf(block.headers, key);
    return inBlock < 0 ? undefined : block.headers[inBlock];
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    if (this.#hold(name, value)) return this;
    this.#giveToNode();
    return super.setHeader(name, value);
  }

  /**
   * Adds a header as it is written, `name: value\r\n`. Checking a value that is another for each response, and putting its
   * line together, takes longer than all else that is done for it.
   *
   * @param name in lower case
   * @param line known to be valid, such as one made of base64 text
   * @returns false if the header is there already, or Node must set it
   */
  addHeaderLine(name: string, line: string): boolean {
    const held = this.#held;
    const { key, nodesOwn } = knownOf(name);
    if (held === null || this.headersSent || nodesOwn || this.#find(held, key) !== undefined) return false;
    held.push({ key, name, value: undefined, line });
    return true;
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
    const block = this.#block;
    if (block !== null && indexOf(block.headers, header.key) >= 0) this.#unfoldBlock();
    const index = indexOf(held, header.key);
    if (index < 0) held.push(header);
    else held[index] = header;
  }

  /** Sets the headers of a block, with one check for all of them. */
  setHeaderBlock(block: HeaderBlock): void {
    const held = this.#held;
    const isPossible = held !== null && !this.headersSent && this.#block === null && block.isOrdinary;
    if (isPossible && !held.some(({ key }) => indexOf(block.headers, key) >= 0)) {
      this.#block = block;
      this.#blockIndex = held.length;
    } else {
      for (const header of block.headers) this.setHeader(header.name, headerValue(header));
    }
  }

  override getHeader(name: string): number | string | string[] | undefined {
    const held = this.#held;
    if (held === null || typeof name !== 'string') return super.getHeader(name);
    const header = this.#find(held, keyOf(name));
    return header && headerValue(header);
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
    const block = this.#block;
    const blockIndex = block === null ? -1 : this.#blockIndex;
    for (let index = 0; index < held.length; index += 1) {
      if (index === blockIndex) head += (block as HeaderBlock).text;
      const { key, value, line } = held[index] as Held;
      if (key !== LENGTH) head += line;
      else if (Number(value) !== measuredLength(this)) return false;
    }
    if (blockIndex === held.length) head += (block as HeaderBlock).text;
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
    const held = this.#unfoldBlock();
    if (held === null) return super.getHeaders();
    const headers: OutgoingHttpHeaders = Object.create(null);
    for (const header of held) headers[header.key] = headerValue(header);
    return headers;
  }

  override getHeaderNames(): string[] {
    return this.#unfoldBlock()?.map(({ key }) => key) ?? super.getHeaderNames();
  }

  getRawHeaderNames(): string[] {
    return this.#unfoldBlock()?.map(({ name }) => name) ?? rawHeaderNames(this);
  }
}

/** `FastResponse.addHeaderLine` for a response of any class. */
export function addHeaderLine(
  res: ServerResponse & Partial<Pick<FastResponse, 'addHeaderLine'>>,
  name: string,
  line: string,
): boolean {
  if (res.addHeaderLine) return res.addHeaderLine(name, line);
  if (res.headersSent || res.hasHeader(name)) return false;
  res.setHeader(name, headerValue({ name, line }));
  return true;
}

/** Sets the headers of a block, on a response of any class. */
export function setHeaderBlock(
  res: ServerResponse & Partial<Pick<FastResponse, 'setHeaderBlock'>>,
  block: HeaderBlock,
): void {
  if (res.setHeaderBlock) res.setHeaderBlock(block);
  else for (const header of block.headers) res.setHeader(header.name, headerValue(header));
}
