import type { TextDecoder as Decoder } from 'node:util';
import type { Context } from '../../../core/index.js';
import type { BodyKind, BodyParserConfig } from './options.js';

/** How the body of a `Content-Type` is read. */
export interface MediaType {
  kind: BodyKind;
  /** Undefined for UTF-8, which Node decodes itself; null for an unknown charset. */
  decoder: Decoder | undefined | null;
  charset: string;
}

const USUAL_TYPES: Record<BodyKind, string[]> = {
  json: [
    'application/json',
    'application/json-patch+json',
    'application/vnd.api+json',
    'application/csp-report',
    'application/reports+json',
    'application/scim+json',
  ],
  form: ['application/x-www-form-urlencoded'],
  text: ['text/plain'],
  raw: ['application/octet-stream'],
};

/** How many headers are cached; clients send few different ones, an attacker may send many. */
const CACHE_LIMIT = 200;

/** @returns a function that finds how the body of a request is read; null if the body is not parsed */
export function mediaTypes(options: BodyParserConfig): (ctx: Context) => MediaType | null {
  const { enableTypes = ['json', 'form'], extendTypes = {}, detectJSON, encoding = 'utf-8' } = options;
  const kinds = new Map<string, BodyKind>();
  const patterns: [kind: BodyKind, pattern: string][] = [];
  for (const kind of enableTypes) {
    for (const type of USUAL_TYPES[kind]) kinds.set(type, kind);
    for (const type of [extendTypes[kind] ?? []].flat()) {
      if (/^[^*/]+\/[^*]+$/.test(type)) kinds.set(type.toLowerCase(), kind);
      else patterns.push([kind, type]);
    }
  }
  const known = new Map<string, MediaType | null>();

  function find(ctx: Context, header: string): MediaType | null {
    const mime = (header.split(';', 1)[0] as string).trim().toLowerCase();
    const kind = kinds.get(mime) ?? patterns.find(([, pattern]) => ctx.request.is(pattern))?.[0];
    return kind ? mediaType(kind, header, encoding) : null;
  }

  return (ctx) => {
    const header = ctx.req.headers['content-type'] ?? '';
    if (detectJSON?.(ctx)) return mediaType('json', header, encoding);
    let type = known.get(header);
    if (type === undefined) {
      type = find(ctx, header);
      if (known.size < CACHE_LIMIT && header.length < 200) known.set(header, type);
    }
    return type;
  };
}

function mediaType(kind: BodyKind, header: string, encoding: string): MediaType {
  const [, quoted, plain] = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(header) ?? [];
  const charset = (quoted ?? plain ?? encoding).toLowerCase();
  return { kind, charset, decoder: kind === 'raw' ? undefined : decoderOf(charset) };
}

function decoderOf(charset: string): Decoder | undefined | null {
  if (charset === 'utf-8' || charset === 'utf8') return undefined;
  try {
    return new TextDecoder(charset);
  } catch {
    return null;
  }
}
