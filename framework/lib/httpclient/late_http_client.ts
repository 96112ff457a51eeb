import { createRequire } from 'node:module';
import { lateClass } from '../../../core/index.js';
import type { HttpClient as HttpClientClass } from './http_client.js';

const require = createRequire(import.meta.url);

/** The class of `app.httpclient`, for apps that extend it: urllib is loaded then. */
export const HttpClient = lateClass(
  () => (require('./http_client.js') as typeof import('./http_client.js')).HttpClient,
);
export type HttpClient = HttpClientClass;
