import type { Context } from '../../../core/index.js';

/** Writes the body of an error response; `this` is the context, whose status is already that of the error. */
type ErrorHandler = (this: Context, error: Error, ctx: Context) => void;

export type ErrorType = 'html' | 'json' | 'js' | 'text';

/** `config.onerror`. */
export interface OnerrorConfig {
  /** Chooses the kind of response; by default the path, `Accept` and the callback of JSONP do. */
  accepts?: (ctx: Context) => string;
  /** Replaces every kind of response. */
  all?: ErrorHandler;
  html?: ErrorHandler;
  json?: ErrorHandler;
  text?: ErrorHandler;
  /** Replaces the JSONP response; `jsonp` is another name of it. */
  js?: ErrorHandler;
  jsonp?: ErrorHandler;
  /** Where HTML clients are redirected with a status from 500 on, outside `local` and `unittest`. */
  errorPageUrl?: string | ((error: Error, ctx: Context) => string);
  /** Whether an error is logged; also decides for errors that have no request. */
  appErrorFilter?: ((error: Error, ctx: Context) => boolean) | null;
  /** An HTML file in place of the development page; see `pages` for what is replaced in it. */
  templatePath?: string;
  /** HTML files by status, for production; `{{status}}`, `{{title}}` and `{{message}}` are replaced. */
  pages?: Record<number, string>;
  /** Whether JSON clients get problem details (RFC 9457) in place of `{ code, message, errors }`. */
  problemDetails?: boolean;
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    onerror?: OnerrorConfig;
  }
}
