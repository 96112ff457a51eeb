/** @returns whether a host name is in a white list */
export type DomainTest = (domain: unknown) => boolean;

/**
 * Compiles a white list: `a.com` is that host, `.a.com` and all hosts below it, `*` stands for any characters.
 * Nothing is in an empty list.
 */
export function compileDomains(list: readonly string[]): DomainTest {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  const patterns: RegExp[] = [];
  for (const entry of list) {
    const domain = entry.toLowerCase();
    if (domain.includes('*')) patterns.push(new RegExp(`^${domain.split('*').map(escapeRegExp).join('.*')}$`));
    else if (domain.startsWith('.')) suffixes.push(domain);
    else exact.add(domain);
  }
  return (given) => {
    if (typeof given !== 'string' || given === '') return false;
    const domain = given.toLowerCase();
    if (exact.has(domain)) return true;
    if (suffixes.some((suffix) => `.${domain}`.endsWith(suffix))) return true;
    return patterns.some((pattern) => pattern.test(domain));
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}
