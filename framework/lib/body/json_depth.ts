/** Levels that JSON of a client may be nested; `JSON.stringify` overflows the stack at about 4,000. */
export const MAX_JSON_DEPTH = 1000;

const OPENS = 0x7b;
const CLOSES = 0x7d;

/**
 * Bytes from one sample to the next, 1 to 31 by chance, 16 on average: looking at each byte would cost a quarter of parsing it.
 * Chance, because a client that knew the steps could nest between them.
 */
const STEPS = Uint8Array.from({ length: 256 }, () => 1 + Math.floor(Math.random() * 31));
const MEAN_STEP = 16;

/**
 * Whether JSON is nested so deeply that parsing it would hold the event loop, or using it overflow the stack.
 *
 * Ordinary bodies pay little: those up to 1000 bytes nothing, larger ones for samples, 0.1 µs for each KB beside 6.5 µs of
 * `JSON.parse` (node bench/json_depth.mjs). Only where the samples are suspicious each byte is looked at.
 */
export function isTooDeep(bytes: Uint8Array): boolean {
  return bytes.length > MAX_JSON_DEPTH && isSuspicious(bytes) && exceedsDepth(bytes);
}

/** Samples brackets; more opening than closing ones by half of what `MAX_JSON_DEPTH` levels give, or by chance, is suspicious. */
function isSuspicious(bytes: Uint8Array): boolean {
  const { length } = bytes;
  // Ordinary JSON has a bracket of each kind in about 30 bytes: their samples differ by chance, by the root of their number.
  const noise = 4 * Math.sqrt(length / 15 / MEAN_STEP);
  const limit = Math.max(MAX_JSON_DEPTH / MEAN_STEP / 2, noise);
  let depth = 0;
  let step = 0;
  for (let index = 0; index < length; index += STEPS[step++ & 255] as number) {
    // [ and {, ] and } differ in this bit.
    const byte = (bytes[index] as number) | 0x20;
    if (byte === OPENS) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === CLOSES) depth -= 1;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function exceedsDepth(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number;
    if (byte === QUOTE) {
      index = endOfString(bytes, index);
    } else if ((byte | 0x20) === OPENS) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if ((byte | 0x20) === CLOSES) depth -= 1;
  }
  return false;
}

/** @returns the index of the quote that ends the string which begins at `start` */
function endOfString(bytes: Uint8Array, start: number): number {
  let index = start + 1;
  while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
  return index;
}
