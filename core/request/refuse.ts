import { refusal } from '../../errors.js';
import type { Context } from '../types.js';

/** Throws what `ctx.throw()` throws, marked as a refusal of what the client has sent. Only for built-in code. */
export function refuse(ctx: Context, status: number, message?: string, props: object = {}): never {
  try {
    return message === undefined ? ctx.throw(status) : ctx.throw(status, message, props);
  } catch (error) {
    throw refusal(error as Error);
  }
}
