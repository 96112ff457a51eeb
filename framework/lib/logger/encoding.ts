import { createRequire } from 'node:module';

type Iconv = Pick<typeof import('iconv-lite'), 'encode' | 'encodingExists'>;

let loaded: Iconv | undefined;

/** Loaded for an encoding that Buffer does not have, such as `gbk`. */
function iconv(): Iconv {
  loaded ??= createRequire(import.meta.url)('iconv-lite') as Iconv;
  return loaded;
}

export function isEncoding(name: string): boolean {
  return Buffer.isEncoding(name) || iconv().encodingExists(name);
}

export function encodeText(text: string, encoding: string): Buffer {
  return Buffer.isEncoding(encoding) ? Buffer.from(text, encoding) : iconv().encode(text, encoding);
}
