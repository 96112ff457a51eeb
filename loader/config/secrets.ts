/** Which config keys hold secrets: exact names or patterns, as `config.dump.ignore` lists them. */
export type SecretKeys = Iterable<string | RegExp>;

const CREDENTIALS_IN_URL = /^([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/i;

/** @returns `value` as it may be shown: what a secret key holds is replaced by its kind and size */
export function maskSecret(keys: readonly string[], value: unknown, secrets: SecretKeys): unknown {
  const list = [...secrets];
  const isSecret = keys.some((key) => list.some((secret) => matches(secret, key)));
  if (isSecret) return placeholder(value);
  return typeof value === 'string' ? maskUrl(value) : value;
}

function matches(secret: string | RegExp, key: string): boolean {
  if (typeof secret === 'string') return secret === key;
  return new RegExp(secret.source, secret.flags.replace(/[gy]/g, '')).test(key);
}

function maskUrl(text: string): string {
  return text.replace(CREDENTIALS_IN_URL, '$1:***@');
}

/** @returns a short description of a value that is not shown, e.g. `<String len: 12>` */
export function placeholder(value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (typeof value === 'string') return `<String len: ${value.length}>`;
  if (Buffer.isBuffer(value)) return `<Buffer len: ${value.length}>`;
  if (typeof value === 'object') return `<${value.constructor?.name ?? 'Object'}>`;
  const kind = typeof value;
  return `<${kind.charAt(0).toUpperCase()}${kind.slice(1)}>`;
}
