import type { Context } from '../../../core/index.js';
import { toError } from '../../../errors.js';
import { endResponse } from '../../../framework/index.js';
import { type HttpError, headersOf, phraseOf, statusOf, viewForClient } from './client_error_view.js';
import type { ErrorType, OnerrorConfig } from './options.js';
import { type Representation, representations } from './representations.js';

/**
 * Responds to a request whose handling threw, and emits `error` on the app. In the listeners the status is that of the
 * response and `app.currentContext` is `ctx`.
 *
 * @param thrown anything; null and undefined are ignored, because Koa calls `ctx.onerror` without an error too
 */
export function respondToError(ctx: Context, thrown: unknown): void {
  if (thrown === null || thrown === undefined) return;
  const error = toError(thrown) as HttpError & { headerSent?: boolean };
  const { app, res } = ctx;
  if (res.headersSent || !ctx.writable) {
    if (Object.isExtensible(error)) error.headerSent = true;
    emitError(ctx, error);
    return;
  }
  const { env, onerror: options = {} } = app.config;
  const detailed = env === 'local' || env === 'unittest';
  const type = typeOf(ctx, options);
  const message = ownMessage(ctx, statusOf(error));
  // What was to be sent before the error is not part of its response; a stream is destroyed.
  ctx.response.body = undefined;
  for (const name of res.getHeaderNames()) if (name !== 'x-readtime') res.removeHeader(name);
  for (const [name, value] of headersOf(error)) ctx.set(name, value);
  ctx.status = statusOf(error);
  if (message !== undefined) ctx.message = message;
  emitError(ctx, error);
  if (res.headersSent || !ctx.writable) return;

  const redirect = detailed || type === 'json' || type === 'js' ? '' : errorPageOf(ctx, error, options);
  if (redirect) redirectToErrorPage(ctx, redirect);
  const writing = redirect ? undefined : writeBody(ctx, error, type, { env, detailed, options });
  if (writing === undefined) endResponse(ctx);
  else void writing.catch((failed: unknown) => giveUp(ctx, failed)).then(() => endResponse(ctx));
}

/**
 * The reason phrase that the app has chosen for its error. One that came with another status, such as the `OK` of a body set before
 * the error, speaks of a response that is not sent.
 */
function ownMessage(ctx: Context, status: number): string | undefined {
  const { statusCode, statusMessage } = ctx.res;
  if (!statusMessage || statusMessage === phraseOf(statusCode)) return undefined;
  const chosen = (ctx.response as { _explicitStatus?: boolean })._explicitStatus;
  return !chosen || statusCode === status ? statusMessage : undefined;
}

/** A listener that throws is reported as well: it must not leave the request without a response. */
function emitError(ctx: Context, error: Error): void {
  try {
    ctx.app.emit('error', error, ctx);
  } catch (thrown) {
    ctx.app.coreLogger.error(thrown);
  }
}

function typeOf(ctx: Context, options: OnerrorConfig): ErrorType {
  const chosen = options.accepts?.(ctx);
  if (chosen === 'html' || chosen === 'json' || chosen === 'js' || chosen === 'text') return chosen;
  if (ctx.acceptJSON) return 'json';
  if ((ctx as { acceptJSONP?: boolean }).acceptJSONP) return 'js';
  const accepted = ctx.accepts('html', 'text', 'json');
  return accepted === 'text' || accepted === 'json' ? accepted : 'html';
}

function errorPageOf(ctx: Context, error: Error, { errorPageUrl }: OnerrorConfig): string {
  if (statusOf(error) < 500 || !errorPageUrl) return '';
  return typeof errorPageUrl === 'function' ? errorPageUrl(error, ctx) : errorPageUrl;
}

function redirectToErrorPage(ctx: Context, page: string): void {
  const { status } = ctx;
  ctx.realStatus = status;
  // A status of redirection that is already there would be kept by Koa.
  ctx.status = 302;
  ctx.redirect(`${page}${page.includes('?') ? '&' : '?'}real_status=${status}`);
}

function writeBody(
  ctx: Context,
  error: HttpError,
  type: ErrorType,
  given: Omit<Representation, 'view'>,
): Promise<unknown> | undefined {
  const { options, detailed } = given;
  const handler = options.all ?? options[type] ?? (type === 'js' ? options.jsonp : undefined);
  try {
    if (!handler) {
      const writing = representations[type](ctx, error, { ...given, view: viewForClient(error, detailed) });
      return writing instanceof Promise ? writing : undefined;
    }
    handler.call(ctx, error, ctx);
    if (!options.all && !ctx.response.get('content-type')) ctx.type = type;
  } catch (failed) {
    giveUp(ctx, failed);
  }
  return undefined;
}

/** The least response, for when writing a better one has failed. */
function giveUp(ctx: Context, failed: unknown): void {
  ctx.app.coreLogger.error(failed);
  ctx.status = 500;
  ctx.body = phraseOf(500);
  ctx.type = 'text';
}
