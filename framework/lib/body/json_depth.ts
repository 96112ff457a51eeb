/** Levels that JSON of a client may be nested; `JSON.stringify` overflows the stack at about 4,000. */
export const MAX_JSON_DEPTH = 1000;

/** What each byte does to the depth. */
const LEVELS = new Int8Array(256);
for (const opens of '[{') LEVELS[opens.charCodeAt(0)] = 1;
for (const closes of ']}') LEVELS[closes.charCodeAt(0)] = -1;

/**
 * Bytes from one sample to the next, 1 to 63 by chance, 32 on average: looking at each byte would cost a quarter of parsing it.
 * Chance, because a client that knew the steps could nest between them.
 */
const STEPS = Uint8Array.from({ length: 256 }, () => 1 + Math.floor(Math.random() * 63));
const MEAN_STEP = 32;

/**
 * Whether JSON is nested so deeply that parsing it would hold the event loop, or using it overflow the stack.
 *
 * Ordinary bodies pay little: those up to 1000 bytes nothing, larger ones for samples, 0.08 µs for each KB beside 8 µs of
 * `JSON.parse` (CLUTCH_MEASURE=1 npm run test:one -- json_depth). Only where the samples are suspicious each byte is looked at.
 */
export function isTooDeep(bytes: Uint8Array): boolean {
  return bytes.length > MAX_JSON_DEPTH && isSuspicious(bytes) && exceedsDepth(bytes);
}

/** Samples brackets; more opening than closing ones by half of what `MAX_JSON_DEPTH` levels give, or by chance, is suspicious. */
function isSuspicious(bytes: Uint8Array): boolean {
  const { length } = bytes;
  // Ordinary JSON has a bracket of each kind in about 30 bytes: their samples differ by chance, by the root of their number.
  const noise = 2.5 * Math.sqrt(length / 15 / MEAN_STEP);
  const limit = Math.ceil(Math.max(MAX_JSON_DEPTH / MEAN_STEP / 2, noise));
  let depth = 0;
  let step = 0;
  for (let index = 0; index < length; index += STEPS[step++ & 255] as number) {
    depth += LEVELS[bytes[index] as number] as number;
    if (depth > limit) return true;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function exceedsDepth(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number;
    if (byte === QUOTE) index = endOfString(bytes, index);
    else depth += LEVELS[byte] as number;
    if (depth > MAX_JSON_DEPTH) return true;
  }
  return false;
}

/** @returns the index of the quote that ends the string which begins at `start` */
function endOfString(bytes: Uint8Array, start: number): number {
  let index = start + 1;
  while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
  return index;
}
