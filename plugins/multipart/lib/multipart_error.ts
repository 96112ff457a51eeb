import { refusal } from '../../../errors.js';

const STATUS: Record<string, number> = { Request_unsupported: 415, Request_malformed: 400, Request_aborted: 400 };

/** What a client has sent wrong; `code` tells which limit it has reached, as in Egg. */
export class MultipartError extends Error {
  readonly code: string;
  readonly status: number;
  readonly expose = true;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = code.endsWith('_limit') ? 'MultipartLimitError' : 'MultipartError';
    this.code = code;
    this.status = STATUS[code] ?? 413;
    refusal(this);
  }
}

export function reached(limit: string): MultipartError {
  return new MultipartError(`Request_${limit}_limit`, `Reach ${limit} limit`);
}
