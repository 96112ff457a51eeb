/** Browsers ignore a cookie whose value is longer than this many characters. */
export const MAX_COOKIE_LENGTH = 4093;

/** Logged when a cookie is longer than browsers accept; the cookie is sent nevertheless. */
export class CookieLimitExceedError extends Error {
  readonly key: string;

  constructor(key: string, length: number) {
    super(`cookie ${key} has ${length} characters, more than the ${MAX_COOKIE_LENGTH} that browsers accept`);
    this.name = 'CookieLimitExceedError';
    this.key = key;
  }
}
