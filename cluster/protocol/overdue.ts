import { maskText } from '../../output/secrets.js';
import type { OverdueRequests } from './protocol.js';

const NOT_TRACED = '\n  Where it waits is not known yet: the next requests of this route are traced.';

/** @returns a sentence that says which request has no response yet, and lines with where it waits; secrets are masked */
export function overdueSentence({ count, requests: [first, ...others], resources }: OverdueRequests): string {
  const route = first?.route === undefined ? '' : ` (route ${first.route})`;
  const more = count > 1 ? `, nor ${count - 1} others` : '';
  const waitsFor = Object.entries(resources).map(([name, number]) => `${number} ${name}`);
  const traced = [first, ...others].find((each) => each?.stack !== undefined);
  const stack = traced
    ? `\n  ${traced.method} ${traced.url} waits here:\n    ${traced.stack?.replaceAll('\n', '\n    ')}`
    : NOT_TRACED;
  return maskText(
    `${first?.method} ${first?.url}${route} got no response for ${first?.age} ms${more} (requestTimeout); it waits for ${waitsFor.join(', ')}${stack}`,
  );
}
