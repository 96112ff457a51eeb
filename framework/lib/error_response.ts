import type { Context } from '../../core/index.js';
import { toError } from '../../errors.js';

const { STATUS_CODES } = process.getBuiltinModule('node:http');

type HttpError = Error & {
  status?: number;
  code?: string;
  type?: string;
  errors?: unknown;
  headers?: Record<string, string>;
  expose?: boolean;
  headerSent?: boolean;
};

interface Answer {
  status: number;
  detailed: boolean;
  env: string;
}

/**
 * Answers a request whose handling threw, as JSON, HTML or text by what the client accepts, and emits `error`.
 * Details of errors from 500 on are shown in `local` and `unittest` only.
 */
export function answerError(ctx: Context, thrown: unknown): void {
  // Koa calls it without an error when a response has ended well.
  if (thrown === null || thrown === undefined) return;
  const error = toError(thrown) as HttpError;
  const { res, app } = ctx;
  const sent = res.headersSent || !ctx.writable;
  if (sent) error.headerSent = true;
  app.emit('error', error, ctx);
  if (sent) return;
  if (ctx.req.readable && !ctx.req.complete) ctx.req.resume();

  const env = (app as unknown as { config: { env: string } }).config.env;
  const answer = { status: statusOf(error), env, detailed: env === 'local' || env === 'unittest' };
  for (const name of res.getHeaderNames()) if (name !== 'x-readtime') res.removeHeader(name);
  if (error.headers) ctx.set(error.headers);
  const type = ctx.acceptJSON ? 'json' : ctx.accepts('html', 'text', 'json') || 'html';
  const errorPage = errorPageOf(ctx);
  if (type === 'html' && !answer.detailed && answer.status >= 500 && errorPage) {
    ctx.realStatus = answer.status;
    ctx.redirect(`${errorPage}${errorPage.includes('?') ? '&' : '?'}real_status=${answer.status}`);
    res.end(ctx.body);
    return;
  }
  const body = BODIES[type as keyof typeof BODIES](error, answer);
  res.statusCode = answer.status;
  ctx.type = type;
  res.setHeader('content-length', Buffer.byteLength(body));
  res.end(body);
}

function errorPageOf(ctx: Context): string | undefined {
  const config = (ctx.app as unknown as { config: { onerror?: { errorPageUrl?: string } } }).config;
  return config.onerror?.errorPageUrl || undefined;
}

function statusOf(error: HttpError): number {
  if (error.code === 'ENOENT') return 404;
  const { status } = error;
  return typeof status === 'number' && status in STATUS_CODES ? status : 500;
}

const BODIES = { json: jsonBody, html: htmlBody, text: textBody };

function jsonBody(error: HttpError, { status, detailed }: Answer): string {
  const { code, type, errors } = error;
  const hidden = status >= 500 && !detailed;
  const message = hidden ? STATUS_CODES[status] : error.message;
  const body = { code: code ?? type, message, ...(hidden ? {} : { errors }) };
  if (status < 500 || !detailed) return JSON.stringify(body);
  return JSON.stringify({ ...body, stack: error.stack, name: error.name });
}

function textBody(error: HttpError, { status, detailed }: Answer): string {
  if (detailed) return `${error.name}: ${error.message}\n${error.stack}`;
  return status < 500 && error.expose ? error.message : (STATUS_CODES[status] as string);
}

function htmlBody(error: HttpError, answer: Answer): string {
  const title = `${answer.status} ${STATUS_CODES[answer.status]}`;
  if (!answer.detailed) return `<h2>${title}</h2>`;
  const stack = escapeHtml(error.stack ?? String(error));
  return `<!doctype html><title>${title}</title><h1>${escapeHtml(`${error.name}: ${error.message}`)}</h1><pre>${stack}</pre>`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] as string);
}
