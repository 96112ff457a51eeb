/** Levels that JSON of a client may be nested; `JSON.stringify` overflows the stack at about 4,000. */
export const MAX_JSON_DEPTH = 1000;

/** How each byte changes the depth. */
const LEVELS = new Int8Array(256);
for (const opens of '[{') LEVELS[opens.charCodeAt(0)] = 1;
for (const closes of ']}') LEVELS[closes.charCodeAt(0)] = -1;

/**
 * Distances between sampled bytes, random from 1 to 63, 32 on average: scanning every byte would cost a quarter of parsing.
 * They are random because a client that knew them could place its brackets between the samples.
 */
const STEPS = Uint8Array.from({ length: 256 }, () => 1 + Math.floor(Math.random() * 63));
const MEAN_STEP = 32;

/**
 * Whether JSON is nested so deeply that parsing it would hold the event loop, or using it overflow the stack.
 *
 * Bodies of up to 1000 bytes cost nothing. Larger ones are sampled, which takes 0.08 µs per KB beside 8 µs for `JSON.parse`
 * (CLUTCH_MEASURE=1 npm run test:one -- json_depth). Every byte is scanned only if the samples look suspicious.
 */
export function isTooDeep(bytes: Uint8Array): boolean {
  return bytes.length > MAX_JSON_DEPTH && isSuspicious(bytes) && exceedsDepth(bytes);
}

/** Whether the samples hold more opening than closing brackets, by half of what `MAX_JSON_DEPTH` levels would give. */
function isSuspicious(bytes: Uint8Array): boolean {
  const { length } = bytes;
  // In ordinary JSON about one byte in 30 opens and one closes a level; the sampled counts differ by noise of this size.
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
