import { createRequire } from 'node:module';
import type { Context } from '../../../core/index.js';

const require = createRequire(import.meta.url);

/** Headers of the request that the page does not show: a screenshot of it should give nothing away. */
const HIDDEN = /^(?:authorization|cookie|proxy-authorization|x-.*token)$/;

/** @returns the page for a developer: message, causes, stack with excerpts of the sources, and the request */
export async function developmentPage(ctx: Context, error: Error): Promise<string> {
  const { Youch } = require('youch') as typeof import('youch');
  const headers = Object.entries(ctx.headers).filter(([name]) => !HIDDEN.test(name));
  return new Youch().toHTML(error, {
    title: `${ctx.status} ${ctx.message}`,
    request: {
      method: ctx.method,
      url: ctx.originalUrl,
      headers: Object.fromEntries(headers) as Record<string, string>,
    },
  });
}
