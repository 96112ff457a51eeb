import { constants } from 'node:os';
import { types } from 'node:util';

const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** What an error may carry for its response. */
export interface HttpError extends Error {
  status?: unknown;
  code?: unknown;
  type?: unknown;
  errors?: unknown;
  headers?: unknown;
  expose?: unknown;
}

/** What a client sees of an error. */
export interface ClientErrorView {
  status: number;
  code: unknown;
  message: string;
  errors: unknown;
}

/** @returns the reason phrase of a status */
export function phraseOf(status: number): string {
  return STATUS_CODES[status] ?? String(status);
}

/** @returns the status of a response to the error: its own when it is one of HTTP, 404 for a missing file, else 500 */
export function statusOf({ code, status }: HttpError): number {
  if (code === 'ENOENT') return 404;
  return typeof status === 'number' && status >= 200 && status in STATUS_CODES ? status : 500;
}

/**
 * Whether an error was made for clients, so that they may see its message: `expose` is true, as `ctx.throw()` sets it, or
 * the app set a status below 500. A system error never qualifies, even if exposed (as koa-send does): its message holds paths
 * and addresses. Neither does an error of an HTTP client, whose status is that of another server.
 */
function isForClients(error: HttpError): boolean {
  if (isSystemError(error) || isUpstreamError(error)) return false;
  if (typeof error.expose === 'boolean') return error.expose;
  return typeof error.status === 'number' && statusOf(error) === error.status && error.status < 500;
}

function isSystemError(error: HttpError & { syscall?: unknown; errno?: unknown }): boolean {
  const { code, errno, syscall } = error;
  return syscall !== undefined || typeof errno === 'number' || (typeof code === 'string' && code in constants.errno);
}

function isUpstreamError(error: HttpError & { response?: unknown; res?: unknown; request?: unknown }): boolean {
  return [error.response, error.res, error.request].some((value) => typeof value === 'object' && value !== null);
}

/**
 * @param detailed whether the client is a developer, who may see everything
 * @returns what the client sees of the error
 */
export function viewForClient(error: HttpError, detailed: boolean): ClientErrorView {
  const status = statusOf(error);
  const code = error.code ?? error.type;
  if (detailed || isForClients(error)) return { status, code, message: error.message, errors: error.errors };
  const internal = isSystemError(error) || isUpstreamError(error) || (typeof code === 'string' && /^ERR?_/.test(code));
  return { status, code: internal ? undefined : code, message: phraseOf(status), errors: undefined };
}

/**
 * A replacer of `JSON.stringify`: an Error among the data is shown as its own response would show it if it was made for clients,
 * otherwise it is left out. As data it would show what a system error or a library's error has: paths, addresses, requests.
 */
export function showForClients(this: unknown, key: string, value: unknown): unknown {
  // What is there before its own `toJSON` has run.
  const given = (this as Record<string, unknown>)[key];
  if (isError(given)) return isForClients(given) ? shownFields(given) : undefined;
  return Array.isArray(value) ? value.filter((each) => !isError(each) || isForClients(each)) : value;
}

function shownFields(error: HttpError): object {
  const { code, message, errors } = viewForClient(error, false);
  return { errors, code, message };
}

function isError(value: unknown): value is HttpError {
  return value instanceof Error || types.isNativeError(value);
}

/** Headers that describe the response itself; an error cannot set them. */
const FRAMING = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that any error may set: middleware such as `@koa/cors` adds them to errors of others. */
const ALWAYS_ALLOWED = /^(?:access-control-.+|allow|retry-after|vary|www-authenticate)$/;

/** @returns the headers that the error adds to its response: all if it was made for clients, else only harmless ones */
export function headersOf(error: HttpError): [name: string, value: string | string[]][] {
  const { headers } = error;
  if (typeof headers !== 'object' || headers === null) return [];
  const all = isForClients(error);
  return Object.entries(headers).filter(([name, value]) => {
    const key = name.toLowerCase();
    if (FRAMING.has(key) || !(all || ALWAYS_ALLOWED.test(key))) return false;
    return isHeader(name, value);
  }) as [string, string | string[]][];
}

const { validateHeaderName, validateHeaderValue } = process.getBuiltinModule('node:http');

function isHeader(name: string, value: unknown): boolean {
  try {
    validateHeaderName(name);
    for (const line of [value].flat()) validateHeaderValue(name, line as string);
    return true;
  } catch {
    // Setting a header that Node rejects would throw, and leave the request without a response.
    return false;
  }
}
