/** Characters of a cookie's value beyond which browsers ignore it. */
export const MAX_COOKIE_LENGTH = 4093;

/** Logged when a cookie is longer than browsers take; the cookie is set nevertheless. */
export class CookieLimitExceedError extends Error {
  readonly key: string;

  constructor(key: string, length: number) {
    super(`cookie ${key} has ${length} characters, more than the ${MAX_COOKIE_LENGTH} that browsers take`);
    this.name = 'CookieLimitExceedError';
    this.key = key;
  }
}
