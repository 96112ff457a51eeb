import { createReadStream } from 'node:fs';
import type { Context } from '../../../core/index.js';
import type { Content, Encoding, StaticFile } from './static_files.js';

/** Answers with a file, a part of it, or that the client has it already. */
export function sendFile(ctx: Context, file: StaticFile): void {
  const { res } = ctx;
  const { headers } = ctx.req;
  res.setHeader('content-type', file.type);
  res.setHeader('cache-control', file.cacheControl);
  res.setHeader('last-modified', file.lastModified);
  res.setHeader('accept-ranges', 'bytes');
  res.setHeader('x-content-type-options', 'nosniff');
  const { range } = headers;
  const encoding = range === undefined ? encodingOf(ctx, file) : undefined;
  // Another content has another tag.
  res.setHeader('etag', encoding ? file.etag.replace(/"$/, `-${encoding}"`) : file.etag);
  ctx.status = 200;
  if ((headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined) && ctx.fresh) {
    ctx.status = 304;
    return;
  }
  if (encoding) {
    res.setHeader('content-encoding', encoding);
    send(ctx, file.encoded[encoding] as Content);
  } else if (range !== undefined && isSameAsBefore(ctx, file)) {
    sendPart(ctx, file.content, range);
  } else {
    send(ctx, file.content);
  }
}

function encodingOf(ctx: Context, { encoded }: StaticFile): Encoding | undefined {
  const offered = Object.keys(encoded) as Encoding[];
  if (offered.length === 0) return undefined;
  ctx.vary('Accept-Encoding');
  // The smaller one comes first, whatever the order in which the client names them.
  return offered.find((encoding) => ctx.acceptsEncodings(encoding) === encoding);
}

function send(ctx: Context, { file, size, bytes }: Content): void {
  if (bytes !== undefined) ctx.body = bytes;
  else if (ctx.method === 'HEAD' || size === 0) sendNothing(ctx, size);
  else stream(ctx, file, 0, size - 1);
}

function sendNothing(ctx: Context, size: number): void {
  if (ctx.method === 'HEAD') ctx.length = size;
  else ctx.body = Buffer.alloc(0);
}

function stream(ctx: Context, file: string, start: number, end: number): void {
  ctx.body = createReadStream(file, { start, end });
  ctx.length = end - start + 1;
}

/** `If-Range`: parts of different contents do not fit together. */
function isSameAsBefore({ req }: Context, { etag, lastModified }: StaticFile): boolean {
  const before = req.headers['if-range'];
  return before === undefined || before === etag || before === lastModified;
}

function sendPart(ctx: Context, content: Content, range: string): void {
  const { size, bytes, file } = content;
  const part = partOf(range, size);
  if (part === undefined) {
    send(ctx, content);
    return;
  }
  if (part === 'none') {
    ctx.status = 416;
    ctx.set('content-range', `bytes */${size}`);
    ctx.body = '';
    return;
  }
  const { start, end } = part;
  ctx.status = 206;
  ctx.set('content-range', `bytes ${start}-${end}/${size}`);
  if (bytes !== undefined) ctx.body = bytes.subarray(start, end + 1);
  else if (ctx.method === 'HEAD') ctx.length = end - start + 1;
  else stream(ctx, file, start, end);
}

/** @returns undefined for what is not one range of bytes: then the whole file is sent, as RFC 9110 allows */
function partOf(range: string, size: number): { start: number; end: number } | 'none' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.replaceAll(' ', '')) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  return start > end ? 'none' : { start, end };
}
