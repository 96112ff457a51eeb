import { executionAsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

// The private members of Node's http and stream modules that the fast request and response rely on. No other file names
// one. `findMissing` and `findReplaced` say whether this process has all of them as Node made them;
// test/core/http/node_internals.test.ts checks each assumption.

const {
  IncomingMessage: NodeRequest,
  OutgoingMessage,
  ServerResponse: NodeResponse,
} = process.getBuiltinModule('node:http');

type Callback = (() => void) | null | undefined;
type Encoding = BufferEncoding | null | undefined;

const STREAM_FLAGS = ['sync', 'ended', 'endEmitted', 'destroyed', 'closed', 'closeEmitted'] as const;

interface RequestInternals {
  _consuming: boolean;
  _dumped: boolean;
  _events: Record<string, unknown>;
  _readableState: Record<(typeof STREAM_FLAGS)[number], boolean> & { flowing: boolean | null; length: number };
  _dump(): void;
}

interface ResponseInternals {
  _hasBody: boolean;
  _contentLength: number | null;
  _expect_continue: boolean;
  useChunkedEncodingByDefault: boolean;
  chunkedEncoding: boolean;
  finished: boolean;
  writeHeader: unknown;
  getRawHeaderNames(): string[];
  _send(data: unknown, encoding?: Encoding, callback?: Callback, length?: number): boolean;
  _storeHeader(firstLines: string, headers: null): void;
}

type Internal<T> = T & (T extends IncomingMessage ? RequestInternals : ResponseInternals);

const requestProto = NodeRequest.prototype as IncomingMessage as Internal<IncomingMessage>;
const responseProto = NodeResponse.prototype as ServerResponse as Internal<ServerResponse>;

/** The method of a request that Node's server calls once the response is sent and the body has not been read. */
export const DUMP = '_dump';

export function dump(req: IncomingMessage): void {
  requestProto._dump.call(req);
}

/** @returns whether nobody has read, listened to or resumed the request */
export function isUnread(req: IncomingMessage): boolean {
  const { _consuming, _events: events, _readableState: state } = req as Internal<IncomingMessage>;
  return (
    !_consuming &&
    state.flowing === null &&
    state.length === 0 &&
    events['end'] === undefined &&
    events['close'] === undefined &&
    events['readable'] === undefined &&
    events['data'] === undefined &&
    events['error'] === undefined &&
    events['aborted'] === undefined
  );
}

/** Makes the stream emit what it emits later on as if its data arrived in an event-loop iteration of its own. */
export function leaveSyncRead(req: IncomingMessage): void {
  (req as Internal<IncomingMessage>)._readableState.sync = false;
}

/** Brings a request that ends with the next push into the state of one that was read, without an event. */
export function closeUnread(req: IncomingMessage): void {
  const internal = req as Internal<IncomingMessage>;
  internal._dumped = true;
  const state = internal._readableState;
  state.ended = true;
  state.endEmitted = true;
  state.destroyed = true;
  state.closed = true;
  state.closeEmitted = true;
}

/** The method of a response through which `end` and `write` pass what goes to the socket. */
export const SEND = '_send';

export function send(res: ServerResponse, data: unknown, encoding: Encoding, callback: Callback, length?: number) {
  return responseProto._send.call(res, data, encoding, callback, length);
}

/** @returns whether Node would write the head without a special case: no HEAD, HTTP/1.0 or `Expect: 100-continue` */
export function hasOrdinaryHead(res: ServerResponse): boolean {
  const internal = res as Internal<ServerResponse>;
  return internal._hasBody && internal.useChunkedEncodingByDefault && !internal._expect_continue;
}

/** @returns the length in bytes that `end` has measured; null if it has not */
export function measuredLength(res: ServerResponse): number | null {
  return (res as Internal<ServerResponse>)._contentLength;
}

/** Gives Node the head; it adds Date, Connection and the framing, and sends it with the first piece of the body. */
export function storeHead(res: ServerResponse, firstLines: string): void {
  responseProto._storeHeader.call(res, firstLines, null);
}

export function isChunked(res: ServerResponse): boolean {
  return (res as Internal<ServerResponse>).chunkedEncoding;
}

/** `getRawHeaderNames` is documented, but missing in the types of a ServerResponse. */
export function rawHeaderNames(res: ServerResponse): string[] {
  return responseProto.getRawHeaderNames.call(res);
}

/** Node's server takes a connection for idle once its response is finished. */
export function setFinished(res: ServerResponse, finished: boolean): void {
  (res as Internal<ServerResponse>).finished = finished;
}

/** Node has `writeHead` under two names; a tracer that wraps it wraps one of them. */
export function isWriteHeadReplaced(): boolean {
  return responseProto.writeHead !== responseProto.writeHeader;
}

/** Methods whose work the fast response does by itself in the ordinary case. */
const REPLACED = [
  'writeHead',
  'setHeader',
  'getHeader',
  'hasHeader',
  'getHeaders',
  'getHeaderNames',
  'getRawHeaderNames',
  'end',
  'write',
  '_storeHeader',
] as const;

/** Each of these methods of Node's reads a field whose key is one of Node's own symbols; a wrapper cannot. */
const OWN_FIELD = /\[k[A-Z]\w+\]/;

/** @returns the first class or method that is not Node's own, because a tracer or a patch has replaced it */
export function findReplaced(): string | undefined {
  if (!isOriginal(NodeResponse, OutgoingMessage)) return 'ServerResponse';
  if (!isOriginal(NodeRequest, Readable)) return 'IncomingMessage';
  for (const name of REPLACED) {
    const method: unknown = responseProto[name];
    if (typeof method !== 'function' || !OWN_FIELD.test(Function.prototype.toString.call(method))) {
      return `ServerResponse.prototype.${name}`;
    }
  }
  return isWriteHeadReplaced() ? 'ServerResponse.prototype.writeHead' : undefined;
}

function isOriginal(Class: { prototype: object }, Base: { prototype: object }): boolean {
  const { prototype } = Class;
  return prototype.constructor === Class && Object.getPrototypeOf(prototype) === Base.prototype;
}

/** @returns the first private member that this version of Node does not have as expected */
export function findMissing(): string | undefined {
  const req = new NodeRequest(undefined as never) as Internal<IncomingMessage>;
  const res = new NodeResponse(req) as ServerResponse as Internal<ServerResponse>;
  const state: Partial<RequestInternals['_readableState']> = req._readableState ?? {};
  const expected: [name: string, isThere: boolean][] = [
    ['IncomingMessage._dump', typeof req._dump === 'function'],
    ['IncomingMessage._consuming', req._consuming === false],
    ['IncomingMessage._dumped', req._dumped === false],
    ['IncomingMessage._events', typeof req._events === 'object'],
    ['IncomingMessage._readableState.flowing', state.flowing === null],
    ['IncomingMessage._readableState.length', state.length === 0],
    ...STREAM_FLAGS.map((flag): [string, boolean] => [
      `IncomingMessage._readableState.${flag}`,
      typeof state[flag] === 'boolean',
    ]),
    ['ServerResponse._send', typeof res._send === 'function'],
    ['ServerResponse._storeHeader', typeof res._storeHeader === 'function'],
    ['ServerResponse._hasBody', res._hasBody === true],
    ['ServerResponse._contentLength', res._contentLength === null],
    ['ServerResponse._expect_continue', res._expect_continue === false],
    ['ServerResponse.useChunkedEncodingByDefault', typeof res.useChunkedEncodingByDefault === 'boolean'],
    ['ServerResponse.chunkedEncoding', res.chunkedEncoding === false],
    ['ServerResponse.finished', res.finished === false],
  ];
  return expected.find(([, isThere]) => !isThere)?.[0];
}

const kept: object[] = [];

/**
 * Keeps `process.nextTick` fast on Node 20, which makes an object with computed keys for each call. Its V8 forgets their
 * shape when a full collection finds none of them alive, as between the boot and the first request, and makes them the slow
 * way from then on. One object that is kept alive keeps the shape. Later versions are not affected.
 */
export function keepNextTickShape(): void {
  if (process.versions.node.startsWith('20.')) process.nextTick(() => kept.push(executionAsyncResource()));
}
