import { maskText } from '../../output/secrets.js';
import type { OverdueRequests } from './protocol.js';

/** @returns a sentence that says which request has no response yet; secrets are masked */
export function overdueSentence({ count, requests: [first], resources }: OverdueRequests): string {
  const route = first?.route === undefined ? '' : ` (route ${first.route})`;
  const others = count > 1 ? `, nor ${count - 1} others` : '';
  const waitsFor = Object.entries(resources).map(([name, number]) => `${number} ${name}`);
  return maskText(
    `${first?.method} ${first?.url}${route} got no response for ${first?.age} ms${others} (requestTimeout); it waits for ${waitsFor.join(', ')}`,
  );
}
