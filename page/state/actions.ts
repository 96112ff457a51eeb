import { signal } from '@preact/signals';
import type { Actions } from '../../cluster/admin/page_data.js';

interface Notice {
  tone: 'good' | 'bad' | 'info';
  text: string;
}

/** What the last action did. */
export const notice = signal<Notice | undefined>(undefined);

/** Milliseconds for which a success is shown; a failure stays until it is closed. */
const SHOWN = 6000;
let hide: ReturnType<typeof setTimeout> | undefined;

function show(next: Notice): void {
  clearTimeout(hide);
  notice.value = next;
  if (next.tone === 'good') hide = setTimeout(() => (notice.value = undefined), SHOWN);
}

/**
 * Does what a button says, and shows how it went.
 *
 * @returns what the server has responded, undefined if it failed
 */
export async function act<Name extends keyof Actions>(
  name: Name,
  options: Actions[Name],
  texts: { begun: string; done: string | ((value: unknown) => string); failed: string },
): Promise<unknown> {
  show({ tone: 'info', text: texts.begun });
  try {
    const response = await fetch(`api/actions/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(options),
    });
    const { value, error } = (await response.json()) as { value?: unknown; error?: string };
    if (!response.ok) throw new Error(error ?? `the server responded with status ${response.status}`);
    show({ tone: 'good', text: typeof texts.done === 'string' ? texts.done : texts.done(value) });
    return value;
  } catch (error) {
    show({ tone: 'bad', text: `${texts.failed}: ${(error as Error).message}` });
    return undefined;
  }
}
