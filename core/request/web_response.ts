import type Koa from 'koa';
import { keepBody } from './koa_internals.js';

/** Codings that `fetch` decodes; where it does not know one of a list, it decodes none of them. */
const DECODED = new Set(['gzip', 'x-gzip', 'deflate', 'br']);

/** Headers of one connection, by RFC 9110, section 7.6.1: those to the upstream server say nothing about the client's. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/**
 * Whether a body is a `Response` of the standard, of Node or of a library: urllib and undici from npm have a class of their own. The
 * tag is looked at first: naming the global `Response` makes Node load its whole fetch, some 30 ms.
 */
export function isWebResponse(body: unknown): body is Response {
  if (typeof body !== 'object' || body === null || tagOf(body) !== 'Response') return false;
  const { headers, body: stream } = body as Partial<Response>;
  return (
    typeof headers?.getSetCookie === 'function' && (stream === null || (stream !== undefined && isWebStream(stream)))
  );
}

export function isWebStream(body: object): body is ReadableStream {
  return tagOf(body) === 'ReadableStream' && body instanceof ReadableStream;
}

function tagOf(body: object): unknown {
  return (body as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
}

/**
 * Sets body, status and headers as Koa does for the global `Response`. Of a response that was fetched, the headers that hold only
 * between this server and the other one are left out; cookies are added to those that are set already.
 */
export function setWebResponse(response: Koa.Response, body: Response): void {
  keepBody(response, body);
  response.status = body.status;
  response.remove('Content-Length');
  if (!response.res.hasHeader('Content-Type')) response.type = 'bin';
  // A `Response` that the app has made has no URL, and the headers that the app wants.
  const isFetched = body.url !== '';
  const isLengthWrong = body.body === null ? response.req.method !== 'HEAD' : isFetched && isDecodedByFetch(body);
  for (const [name, value] of body.headers) {
    if (name === 'set-cookie') continue;
    if (isFetched && OF_CONNECTION.has(name)) continue;
    if (isLengthWrong && (name === 'content-encoding' || name === 'content-length')) continue;
    response.set(name, value);
  }
  const cookies = body.headers.getSetCookie();
  if (cookies.length > 0) response.append('Set-Cookie', cookies);
}

function isDecodedByFetch(response: Response): boolean {
  const codings = response.headers.get('content-encoding')?.toLowerCase().split(',') ?? [];
  return codings.length > 0 && codings.every((coding) => isDecoded(coding.trim(), response));
}

/** The fetch of Node 22 does not decode zstd, which undici from npm does on the same Node. */
function isDecoded(coding: string, response: Response): boolean {
  if (coding !== 'zstd') return DECODED.has(coding);
  if (response instanceof Response) return Number.parseInt(process.versions['undici'] ?? '', 10) >= 7;
  return 'createZstdDecompress' in process.getBuiltinModule('node:zlib');
}
