import type { IncomingMessage } from 'node:http';
import { BodyError } from './body_error.js';

const EMPTY = Buffer.alloc(0);

/**
 * Reads a request body into memory, inflated, and parses it.
 *
 * @param limit bytes that it may have, both as sent and inflated
 * @param parse called with the whole body; what it throws rejects the promise
 * @returns a promise that rejects with a BodyError: 413 beyond the limit, 415 for an unknown `Content-Encoding`, 400 if the
 * client disconnects or the compressed data is invalid
 */
export function readBody<T>(req: IncomingMessage, limit: number, parse: (bytes: Buffer) => T): Promise<T> {
  const encoding = req.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return readBytes(req, limit, parse);
  const inflate = INFLATE[encoding.toLowerCase()];
  if (!inflate) {
    return Promise.reject(
      new BodyError(415, 'encoding.unsupported', `unsupported content encoding "${shorten(encoding)}"`),
    );
  }
  return readBytes(req, limit, (bytes) => (bytes.length === 0 ? bytes : inflated(bytes, inflate, limit))).then(parse);
}

/** Parses inside of the listener for `end`: a promise for the bytes alone would be one more of each request. */
function readBytes<T>(req: IncomingMessage, limit: number, parse: (bytes: Buffer) => T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (Number(req.headers['content-length']) > limit) {
      reject(tooLarge());
      return;
    }
    if (!req.readable) {
      reject(aborted());
      return;
    }
    let first: Buffer | undefined;
    let chunks: Buffer[] | undefined;
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        req.pause();
        fail(tooLarge());
      } else if (first === undefined) first = chunk;
      else if (chunks === undefined) chunks = [first, chunk];
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      try {
        resolve(parse(chunks ? Buffer.concat(chunks, size) : (first ?? EMPTY)));
      } catch (error) {
        reject(error);
      }
    };
    const onClose = (): void => fail(aborted());
    const stop = (): void => {
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    };
    const fail = (error: BodyError): void => {
      stop();
      // The request has failed; a connection that breaks later must not throw.
      req.on('error', () => undefined);
      reject(error);
    };
    req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

type Inflate = (
  bytes: Buffer,
  options: { maxOutputLength: number },
  callback: (error: NodeJS.ErrnoException | null, bytes: Buffer) => void,
) => void;

// Node's own module, loaded with the first compressed body.
const zlib = () => process.getBuiltinModule('node:zlib');
const gunzip: Inflate = (...args) => zlib().gunzip(...args);
const INFLATE: Record<string, Inflate | undefined> = Object.assign(Object.create(null), {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: ((...args) => zlib().inflate(...args)) satisfies Inflate,
  br: ((...args) => zlib().brotliDecompress(...args)) satisfies Inflate,
});

function inflated(bytes: Buffer, inflate: Inflate, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A few bytes could inflate to gigabytes; zlib stops at the limit.
    inflate(bytes, { maxOutputLength: Math.max(1, limit) }, (error, result) => {
      if (!error) resolve(result);
      else if (error.code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge());
      else
        reject(new BodyError(400, 'encoding.invalid', 'the request body is not what its content encoding says', error));
    });
  });
}

function tooLarge(): BodyError {
  return new BodyError(413, 'entity.too.large', 'request entity too large');
}

function aborted(): BodyError {
  return new BodyError(400, 'request.aborted', 'request aborted');
}

/** @returns at most 40 characters of a client's text, for an error message */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
