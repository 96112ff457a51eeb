import { refusal } from '../../../errors.js';

const NAMES: Record<number, string> = {
  400: 'BadRequestError',
  413: 'PayloadTooLargeError',
  415: 'UnsupportedMediaTypeError',
};

/** An error of a request body, made for the client; `type` is what other body parsers call it. */
export class BodyError extends Error {
  readonly status: number;
  readonly type: string;
  readonly expose = true;

  constructor(status: 400 | 413 | 415, type: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = NAMES[status] as string;
    this.status = status;
    this.type = type;
    refusal(this);
  }
}
