import type { Context } from '../../../core/index.js';
import { byteSize } from './byte_size.js';

export type BodyKind = 'json' | 'form' | 'text' | 'raw';

/** `config.bodyParser`. */
export interface BodyParserConfig {
  enable?: boolean;
  /** Charset of a body whose `Content-Type` names none. */
  encoding?: string;
  /** Kinds that are parsed; default JSON and forms. */
  enableTypes?: BodyKind[];
  /** Media types of a kind besides its usual ones; they may hold `*`. */
  extendTypes?: Partial<Record<BodyKind, string | string[]>>;
  /** Whether a body is JSON although its `Content-Type` does not say so. */
  detectJSON?: ((ctx: Context) => boolean) | null;
  /** Bytes that a body may have, inflated: a number or a text as `1mb`. */
  formLimit?: number | string;
  jsonLimit?: number | string;
  textLimit?: number | string;
  rawLimit?: number | string;
  /** Whether JSON must be an object or an array. */
  strict?: boolean;
  /** Options of `qs` for forms. */
  queryString?: object;
  /** What happens to keys of JSON that could change a prototype, `__proto__` and `constructor.prototype`. */
  onProtoPoisoning?: 'error' | 'remove' | 'ignore';
  /** Called when a body cannot be parsed; if it returns, the middleware continues with an empty body. */
  onerror?: ((error: Error, ctx: Context) => void) | null;
}

/**
 * @returns the number of bytes that a limit of the config means
 * @throws {ClutchError} ERR_CLUTCH_CONFIG
 */
export function byteLimit(options: BodyParserConfig, kind: BodyKind): number {
  return byteSize(options[`${kind}Limit`] ?? '1mb', `config.bodyParser.${kind}Limit`);
}
