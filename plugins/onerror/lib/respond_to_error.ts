import { type Context, isStatusSet } from '../../../core/index.js';
import { toError } from '../../../errors.js';
import { endResponse, redirectToPage } from '../../../framework/index.js';
import { type HttpError, headersOf, phraseOf, statusOf, viewForClient } from './client_error_view.js';
import type { ErrorType, OnerrorConfig } from './options.js';
import { type Representation, representations } from './representations.js';

/** Whatever Node refuses in a reason phrase. */
const NO_PHRASE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Responds to a request whose handling threw, and emits `error` on the app. In the listeners the status is that of the
 * response and `app.currentContext` is `ctx`.
 *
 * @param thrown anything; null and undefined are ignored, because Koa calls `ctx.onerror` without an error too
 */
export function respondToError(ctx: Context, thrown: unknown): void {
  if (thrown === null || thrown === undefined) return;
  const error = toError(thrown) as HttpError & { headerSent?: boolean };
  const { res } = ctx;
  if (res.headersSent || !ctx.writable) {
    if (Object.isExtensible(error)) error.headerSent = true;
    emitError(ctx, error);
    return;
  }
  let writing: Promise<unknown> | undefined;
  let type: ErrorType | undefined;
  try {
    type = writeHead(ctx, error);
  } catch (failed) {
    giveUp(ctx, failed);
  }
  emitError(ctx, error);
  if (res.headersSent || !ctx.writable) return;
  try {
    if (type !== undefined) writing = writeResponse(ctx, error, type);
  } catch (failed) {
    giveUp(ctx, failed);
  }
  if (res.headersSent || !ctx.writable) return;
  if (writing === undefined) send(ctx);
  else void writing.catch((failed: unknown) => giveUp(ctx, failed)).then(() => send(ctx));
}

/** A response that cannot be sent, such as one whose methods were replaced and throw, ends with its connection. */
function send(ctx: Context): void {
  if (ctx.res.headersSent || !ctx.writable) return;
  try {
    endResponse(ctx);
  } catch (failed) {
    ctx.res.destroy();
    ctx.app.coreLogger.error(failed);
  }
}

/** Sets status and headers. @returns the kind of the response */
function writeHead(ctx: Context, error: HttpError): ErrorType {
  const { app, res } = ctx;
  const status = statusOf(error);
  const type = typeOf(ctx, app.config.onerror ?? {});
  const message = ownMessage(ctx, status);
  // Drop the body that was set before the error; Koa destroys it if it is a stream.
  ctx.response.body = undefined;
  for (const name of res.getHeaderNames()) if (name !== 'x-readtime') res.removeHeader(name);
  // Of plugin `security`.
  (ctx as { setSecurityHeaders?: () => void }).setSecurityHeaders?.();
  for (const [name, value] of headersOf(error)) ctx.set(name, value);
  ctx.status = status;
  if (message !== undefined) ctx.message = message;
  return type;
}

/** @returns a promise when the body takes time; nothing is sent yet */
function writeResponse(ctx: Context, error: HttpError, type: ErrorType): Promise<unknown> | undefined {
  const { env, onerror: options = {} } = ctx.app.config;
  const detailed = env === 'local' || env === 'unittest';
  const page = detailed || type === 'json' || type === 'js' ? '' : errorPageOf(ctx, error, options);
  if (!page) return writeBody(ctx, error, type, { env, detailed, options });
  redirectToErrorPage(ctx, page);
  return undefined;
}

/**
 * @returns the reason phrase that the app chose for this error, if HTTP can carry it. One that was set along with another status, such as the `OK` of
 * a body set before the error, belongs to a response that is not sent
 */
function ownMessage(ctx: Context, status: number): string | undefined {
  if (ctx.req.httpVersionMajor >= 2) return undefined;
  const { statusCode, statusMessage } = ctx.res;
  if (!statusMessage || statusMessage === phraseOf(statusCode) || NO_PHRASE.test(statusMessage)) return undefined;
  return !isStatusSet(ctx.response) || statusCode === status ? statusMessage : undefined;
}

/** Emits `error` on the app. A listener that throws is logged, and does not leave the request without a response. */
function emitError(ctx: Context, error: Error): void {
  try {
    ctx.app.emit('error', error, ctx);
  } catch (thrown) {
    ctx.app.coreLogger.error(thrown);
  }
}

function typeOf(ctx: Context, options: OnerrorConfig): ErrorType {
  const chosen = chosenType(ctx, options);
  if (chosen === 'html' || chosen === 'json' || chosen === 'js' || chosen === 'text') return chosen;
  if (ctx.acceptJSON) return 'json';
  if ((ctx as { acceptJSONP?: boolean }).acceptJSONP) return 'js';
  const accepted = ctx.accepts('html', 'text', 'json');
  return accepted === 'text' || accepted === 'json' ? accepted : 'html';
}

/** If `accepts` throws, that is logged, and the error itself is still reported. */
function chosenType(ctx: Context, { accepts }: OnerrorConfig): string | undefined {
  try {
    return accepts?.(ctx);
  } catch (failed) {
    ctx.app.coreLogger.error(failed);
    return 'text';
  }
}

function errorPageOf(ctx: Context, error: Error, { errorPageUrl }: OnerrorConfig): string {
  if (statusOf(error) < 500 || !errorPageUrl) return '';
  return typeof errorPageUrl === 'function' ? errorPageUrl(error, ctx) : errorPageUrl;
}

function redirectToErrorPage(ctx: Context, page: string): void {
  const { status } = ctx;
  ctx.realStatus = status;
  // Koa would keep another redirect status that is already set.
  ctx.status = 302;
  redirectToPage(ctx, `${page}${page.includes('?') ? '&' : '?'}real_status=${status}`);
}

function writeBody(
  ctx: Context,
  error: HttpError,
  type: ErrorType,
  given: Omit<Representation, 'view'>,
): Promise<unknown> | undefined {
  const { options, detailed } = given;
  const handler = options.all ?? options[type] ?? (type === 'js' ? options.jsonp : undefined);
  if (!handler) {
    const writing = representations[type](ctx, error, { ...given, view: viewForClient(error, detailed) });
    return writing instanceof Promise ? writing : undefined;
  }
  handler.call(ctx, error, ctx);
  if (!options.all && !ctx.response.get('content-type')) ctx.type = type;
  return undefined;
}

/** A minimal response, used when a handler or template fails; the end of the connection if not even that is possible. */
function giveUp(ctx: Context, failed: unknown): void {
  try {
    ctx.app.coreLogger.error(failed);
    ctx.status = 500;
    ctx.body = phraseOf(500);
    ctx.type = 'text';
  } catch (again) {
    ctx.res.destroy();
    ctx.app.coreLogger.error(again);
  }
}
