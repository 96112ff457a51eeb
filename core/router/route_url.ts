/** @returns the pattern with its parameters filled in; those that it does not have become the query */
export function fillPath(pattern: string, params: unknown): string {
  if (typeof params !== 'object' || params === null) return pattern;
  const query: string[] = [];
  let path = pattern;
  for (const [key, value] of Object.entries(params)) {
    const placeholder = new RegExp(`:${key.replace(/[^\w]/g, '\\$&')}(?!\\w)`, 'g');
    if (placeholder.test(path)) {
      path = path.replace(placeholder, encodeURIComponent(String(Array.isArray(value) ? value[0] : value)));
      continue;
    }
    for (const item of [value].flat()) query.push(`${encodeURIComponent(key)}=${encodeURIComponent(String(item))}`);
  }
  if (query.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query.join('&')}`;
}
