import type { HttpOptions, HttpResponse } from './http.js';

type Ask = (path: string, options?: HttpOptions) => Promise<HttpResponse>;

/** @returns the cookies that a response sets: name to value */
export function cookiesOf({ headers }: HttpResponse): Record<string, string> {
  const pairs = (headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0] as string);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** A client that sends back the cookies that it was given, as a browser does. */
export function browser(ask: Ask): { jar: Record<string, string>; ask: Ask } {
  const jar: Record<string, string> = {};
  return {
    jar,
    async ask(path, options = {}) {
      const cookie = Object.entries(jar)
        .map(([name, value]) => `${name}=${value}`)
        .join('; ');
      const response = await ask(path, { ...options, headers: { ...(cookie ? { cookie } : {}), ...options.headers } });
      for (const [name, value] of Object.entries(cookiesOf(response))) {
        if (value) jar[name] = value;
        else delete jar[name];
      }
      return response;
    },
  };
}
