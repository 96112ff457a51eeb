import type { Context } from '../../../core/index.js';
import { ClutchError } from '../../../errors.js';

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

const UNITS: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/**
 * @returns the number of bytes that a limit of the config means
 * @throws {ClutchError} ERR_CLUTCH_CONFIG
 */
export function byteLimit(options: BodyParserConfig, kind: BodyKind): number {
  const value = options[`${kind}Limit`] ?? '1mb';
  const [, digits, unit = 'b'] = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)?$/i.exec(String(value)) ?? [];
  const size = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (Number.isSafeInteger(size)) return size;
  throw new ClutchError('ERR_CLUTCH_CONFIG', `${JSON.stringify(value)} is not a number of bytes`, {
    where: `config.bodyParser.${kind}Limit`,
    fix: "Write a number, or a text such as '500kb' or '10mb'.",
  });
}
