import type Stream from 'node:stream';
import { type Exchange, onceEnded } from './connection.js';
import { isStream } from './koa_internals.js';
import { isWebResponse, isWebStream } from './web_response.js';

/** A body that holds something open until it is read to its end: a file, a connection, a process. */
type BodySource = Stream.Readable | ReadableStream | Response;

export function isSource(body: unknown): body is BodySource {
  if (typeof body !== 'object' || body === null) return false;
  return isStream(body) || isWebStream(body) || isWebResponse(body);
}

/**
 * Sees to it that a body, set in place of another one, is closed if it is not read to its end. A body that is not a source
 * cannot read from the previous one, which is closed at once. Another source may, as in `ctx.body = ctx.body.pipe(gzip)`: then
 * the previous one is closed when the response has ended.
 */
export function replaceSource(exchange: Exchange, previous: unknown, body: unknown): void {
  if (previous === body) return;
  if (isSource(body)) {
    if (isStream(body)) destroyTogether(body);
    // Not at once: setting a body that comes too late returns before the body is destroyed.
    onceEnded(exchange, () => setImmediate(closeSource, body));
  } else if (isSource(previous)) {
    closeSource(previous);
  }
}

/** Destroys or cancels a source; no effect on one that has ended, or that somebody else is reading. */
function closeSource(body: BodySource): void {
  if (isStream(body)) {
    // A stream of the oldest kind has no `destroy`.
    body.destroy?.();
    return;
  }
  const stream = isWebResponse(body) ? body.body : (body as ReadableStream);
  // Its source may reject the cancellation; nobody is left who could use the error.
  if (stream && !stream.locked) stream.cancel().catch(() => undefined);
}

/** When the stream is destroyed, so are the streams that are piped into it, except those that somebody else reads as well. */
function destroyTogether(stream: Stream.Readable): void {
  // Before the response begins, nobody else listens for an error of its body; without a listener it would end the process.
  stream.on('error', () => undefined);
  stream.on('unpipe', (source: Stream.Readable) => {
    if (!stream.destroyed || source.listenerCount('data') > 0 || source.listenerCount('readable') > 0) return;
    destroyTogether(source);
    source.destroy();
  });
}
