/** A parameter of a pattern that may be absent: `/:id?` of path-to-regexp 1, `{/:id}` of the current one. `/:id?a=` begins a query. */
const OPTIONAL = /(\/?):(\w+)(?:\([^()]*\))?\?(?!\w)|\{([^{}:]*):(\w+)([^{}:]*)\}/g;

/**
 * Fills a route's parameters in. A parameter that is not given stays as it is written, an optional one is left out.
 *
 * @param params values by name; those that the pattern does not have become the query
 */
export function fillPath(pattern: string, params: unknown): string {
  const given: Record<string, unknown> = typeof params === 'object' && params !== null ? { ...params } : {};
  let path = pattern.replace(
    OPTIONAL,
    (_, slash: string, legacy: string, before: string, name: string, after: string) => {
      if (legacy !== undefined) return Object.hasOwn(given, legacy) ? `${slash}:${legacy}` : '';
      return Object.hasOwn(given, name) ? `${before}:${name}${after}` : '';
    },
  );
  const query: string[] = [];
  for (const [key, value] of Object.entries(given)) {
    const placeholder = new RegExp(`:${key.replace(/[^\w]/g, '\\$&')}(?!\\w)`, 'g');
    if (placeholder.test(path)) {
      const text = encodeURIComponent(String(Array.isArray(value) ? value[0] : value));
      path = path.replace(placeholder, () => text);
      continue;
    }
    for (const item of [value].flat()) query.push(`${encodeURIComponent(key)}=${encodeURIComponent(String(item))}`);
  }
  if (query.length === 0) return path || '/';
  return `${path}${path.includes('?') ? '&' : '?'}${query.join('&')}`;
}
