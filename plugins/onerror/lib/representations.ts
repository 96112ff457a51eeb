import { createRequire } from 'node:module';
import type { Context } from '../../../core/index.js';
import { errorPage, escapeHtml } from '../../../framework/index.js';
import { type ClientErrorView, type HttpError, phraseOf, showForClients } from './client_error_view.js';
import type { ErrorType, OnerrorConfig } from './options.js';

const require = createRequire(import.meta.url);

export interface Representation {
  view: ClientErrorView;
  env: string;
  /** Whether to show everything: in env `local` and `unittest`. */
  detailed: boolean;
  options: OnerrorConfig;
}

type Write = (ctx: Context, error: HttpError, given: Representation) => unknown;

/** Each sets `ctx.body` and `ctx.type` of an error response, and may return a promise. */
export const representations: Record<ErrorType, Write> = { html, json, js, text };

function json(ctx: Context, error: HttpError, given: Representation): void {
  const { options, detailed } = given;
  const view = isJsonSyntaxError(ctx, error) ? { ...given.view, message: 'Problems parsing JSON' } : given.view;
  const data = options.problemDetails ? problemDetails(view) : { code: view.code, message: view.message };
  ctx.body = detailed
    ? stringify(data, { errors: view.errors, ...(view.status >= 500 ? debugging(error) : {}) })
    : stringify(data, { errors: view.errors }, showForClients);
  ctx.type = options.problemDetails ? 'application/problem+json' : 'json';
}

function isJsonSyntaxError(ctx: Context, { name, status }: HttpError): boolean {
  return name === 'SyntaxError' && status === 400 && /json/i.test(ctx.get('content-type'));
}

/** RFC 9457. */
function problemDetails({ status, code, message }: ClientErrorView): object {
  const title = phraseOf(status);
  return { type: 'about:blank', title, status, detail: message === title ? undefined : message, code };
}

function debugging(error: HttpError): object {
  return { ...error, stack: error.stack, name: error.name };
}

/** @returns both as JSON; only `data` if `extra` cannot be serialized, as with a circular reference */
function stringify(data: object, extra: object, replacer?: typeof showForClients): string {
  try {
    return JSON.stringify({ ...extra, ...data }, replacer);
  } catch {
    return JSON.stringify(data, replacer);
  }
}

function js(ctx: Context, error: HttpError, given: Representation): void {
  json(ctx, error, given);
  const { createJsonpBody } = ctx as { createJsonpBody?: (body: unknown) => void };
  if (createJsonpBody) createJsonpBody.call(ctx, JSON.parse(ctx.body as string));
}

function text(ctx: Context, error: HttpError, { view, detailed }: Representation): void {
  ctx.body = detailed ? `${error.name}: ${error.message}\n${error.stack}` : view.message;
  ctx.type = 'text';
}

function html(
  ctx: Context,
  error: HttpError,
  { view, env, detailed, options }: Representation,
): Promise<void> | undefined {
  const { status, message } = view;
  const title = phraseOf(status);
  const page = detailed ? options.templatePath : options.pages?.[status];
  ctx.type = 'html';
  if (page) {
    const { name, stack } = error;
    const shown = { status, title, message, ...(detailed ? { name, stack } : {}) };
    ctx.body = errorPage(ctx, page, shown);
  } else if (!detailed) {
    // Egg's words, which apps and their monitors look for.
    ctx.body = status < 500 ? `<h2>${status} ${title}</h2>` : `<h2>Internal Server Error, real status: ${status}</h2>`;
  } else if (env === 'local') {
    const { developmentPage } = require('../lazy/development_page.js') as typeof import('../lazy/development_page.js');
    return developmentPage(ctx, error).then((body) => {
      // It consists of inline scripts and styles.
      ctx.remove('content-security-policy');
      ctx.body = body;
    });
  } else {
    const heading = escapeHtml(`${error.name}: ${error.message}`);
    ctx.body = `<!doctype html><title>${status} ${title}</title><h1>${heading}</h1><pre>${escapeHtml(String(error.stack))}</pre>`;
  }
  return undefined;
}
