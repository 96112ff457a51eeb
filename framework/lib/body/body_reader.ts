import { createRequire } from 'node:module';
import type { ParseOptions } from 'secure-json-parse';
import type { Context } from '../../../core/index.js';
import { refusal } from '../../../errors.js';
import { BodyError } from './body_error.js';
import { isTooDeep, MAX_JSON_DEPTH } from './json_depth.js';
import { type MediaType, mediaTypes } from './media_type.js';
import { type BodyKind, type BodyParserConfig, byteLimit } from './options.js';
import { readBody, shorten } from './read_body.js';

const require = createRequire(import.meta.url);

interface ParsedBody {
  /** What the body says, e.g. the data of JSON. */
  body: unknown;
  /** The body as it came: a text, or a Buffer for a raw one. */
  rawBody?: string | Buffer;
}

/** Reads the body of a request; undefined when it is of no kind that is parsed. */
export type BodyReader = (ctx: Context) => Promise<ParsedBody> | undefined;

/**
 * Makes the function that reads bodies by their `Content-Type`.
 *
 * @returns a function whose promise rejects with an error for the client: 400, 413 or 415
 * @throws {ClutchError} ERR_CLUTCH_CONFIG for a limit that is not a number of bytes
 */
export function bodyReader(options: BodyParserConfig): BodyReader {
  const typeOf = mediaTypes(options);
  const parse = parsers(options);
  const limits = {
    json: byteLimit(options, 'json'),
    form: byteLimit(options, 'form'),
    text: byteLimit(options, 'text'),
    raw: byteLimit(options, 'raw'),
  };
  return (ctx) => {
    const type = typeOf(ctx);
    if (type === null) return undefined;
    if (type.decoder === null) {
      return Promise.reject(
        new BodyError(415, 'charset.unsupported', `unsupported charset "${shorten(type.charset)}"`),
      );
    }
    return readBody(ctx.req, limits[type.kind], (bytes) => parse[type.kind](bytes, type));
  };
}

type Parse = (bytes: Buffer, type: MediaType) => ParsedBody;

function parsers({
  strict = true,
  queryString,
  onProtoPoisoning = 'error',
}: BodyParserConfig): Record<BodyKind, Parse> {
  const poisoning = { protoAction: onProtoPoisoning, constructorAction: onProtoPoisoning };
  return {
    json(bytes, { decoder }) {
      if (bytes.length === 0) return { body: {} };
      const rawBody = decoder ? decoder.decode(bytes) : bytes.toString();
      if (isTooDeep(decoder ? Buffer.from(rawBody) : bytes)) {
        throw new BodyError(400, 'entity.too.deep', `JSON is nested more than ${MAX_JSON_DEPTH} levels deep`);
      }
      if (strict && !/^[\ufeff\s]*[[{]/.test(rawBody))
        throw syntaxError('invalid JSON, only supports object and array');
      try {
        return {
          body: mayPoison(rawBody) ? secureParse(rawBody, poisoning) : JSON.parse(withoutBom(rawBody)),
          rawBody,
        };
      } catch (thrown) {
        const error = thrown as Error;
        // Where it was parsed tells nobody anything.
        error.stack = String(error);
        throw refusal(Object.assign(error, { status: 400, expose: true }));
      }
    },
    form(bytes, { decoder, charset }) {
      const rawBody = decoder ? decoder.decode(bytes) : bytes.toString();
      const { parse } = require('qs') as typeof import('qs');
      const latin = charset === 'iso-8859-1' ? { charset: charset as 'iso-8859-1' } : {};
      return { body: parse(rawBody, { ...queryString, ...latin }), rawBody };
    },
    text(bytes, { decoder }) {
      const rawBody = decoder ? decoder.decode(bytes) : bytes.toString();
      return { body: rawBody, rawBody };
    },
    raw: (bytes) => ({ body: bytes, rawBody: bytes }),
  };
}

/** Whether a key of JSON may be one that changes a prototype; it may be written with escapes. */
function mayPoison(json: string): boolean {
  return json.includes('__proto__') || json.includes('constructor') || json.includes('\\u');
}

/** Loaded with the first JSON body that needs it. */
function secureParse(json: string, poisoning: ParseOptions): unknown {
  const { parse } = require('secure-json-parse') as typeof import('secure-json-parse');
  return parse(json, poisoning);
}

function withoutBom(json: string): string {
  return json.charCodeAt(0) === 0xfeff ? json.slice(1) : json;
}

function syntaxError(message: string): Error {
  return refusal(Object.assign(new SyntaxError(message), { status: 400, expose: true }));
}
