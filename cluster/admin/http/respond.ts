import type { IncomingMessage, ServerResponse } from 'node:http';

/** Bytes of a body. */
const LONGEST_BODY = 16 * 1024;

/** An error with the status of its response. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers of all responses. */
export function setSecurityHeaders(res: ServerResponse): void {
  res.setHeader('content-security-policy', POLICY);
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('x-frame-options', 'DENY');
  res.setHeader('referrer-policy', 'no-referrer');
  res.setHeader('cross-origin-opener-policy', 'same-origin');
  res.setHeader('cross-origin-resource-policy', 'same-origin');
}

/** @returns the address of a visitor, as logs and records name it */
export function addressOf({ remoteAddress = 'a unix socket' }: IncomingMessage['socket']): string {
  return remoteAddress.replace(/^::ffff:/, '');
}

export function sendJson(req: IncomingMessage, res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  res.end(req.method === 'HEAD' ? undefined : JSON.stringify(value));
}

/** @throws {HttpError} 415 for another type, 413 for a body that is too long */
export async function readBody(req: IncomingMessage, type: string): Promise<string> {
  const [given = ''] = (req.headers['content-type'] ?? '').split(';', 1);
  if (given.trim().toLowerCase() !== type) throw new HttpError(415, `send it as ${type}`);
  if (Number(req.headers['content-length']) > LONGEST_BODY) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function tooLong(): HttpError {
  return new HttpError(413, `the body is longer than ${LONGEST_BODY} bytes`);
}
