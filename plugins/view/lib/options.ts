import type { Context } from '../../../core/index.js';

/** `config.view`. */
export interface ViewConfig {
  /** Directories of templates, separated by commas; the first that has one is taken. Default `app/view`. */
  root?: string;
  /** Whether a template is looked for, read and compiled once; default true, false in `local`. */
  cache?: boolean;
  /** Added to a name that has no file; default `.html`. */
  defaultExtension?: string;
  /** For templates whose extension is not in `mapping`, and for `renderString`. */
  defaultViewEngine?: string;
  /** Engines by extension: `{ '.nj': 'nunjucks' }`. */
  mapping?: Record<string, string>;
}

export type Locals = Record<string, unknown>;

/** Options of one call; engines get them, with `name`, `root` and `locals`. */
export interface ViewOptions {
  /** Takes this engine whatever the extension. */
  viewEngine?: string;
  name?: string;
  root?: string;
  locals?: Locals;
  [key: string]: unknown;
}

/** Renders templates of one kind, for one request. */
export interface ViewEngine {
  render(file: string, locals: Locals, options: ViewOptions): string | Promise<string>;
  renderString(template: string, locals: Locals, options: ViewOptions): string | Promise<string>;
}

export type ViewEngineClass = new (ctx: Context) => ViewEngine;
