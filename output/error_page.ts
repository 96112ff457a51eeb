/** What `clutch dev` shows in the browser in place of a page of the app. */
export interface PageError {
  /** Changes with the error; the page reloads itself then. */
  id: string;
  title: string;
  text: string;
  /** What still works. */
  note: string;
  /** Whether the app serves, so that one may go on without mending it. */
  canContinue: boolean;
}

/** Where the page asks whether its error is still the current one. */
export const ERROR_STATE_PATH = '/-/dev-error';
/** Cookie with the id of the error that someone does not want to see. */
export const DISMISSED = 'clutch-dev-dismissed';
/** Milliseconds between two questions of the page. */
const POLL = 400;

/** @returns a whole page that names the error and reloads once it is mended */
export function errorPage({ id, title, text, note, canContinue }: PageError): string {
  const dismiss = canContinue
    ? `<p><a href="" onclick="document.cookie='${DISMISSED}=${id};path=/'">Show the app all the same</a></p>`
    : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title><style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.25rem; color: #d33 }
pre { font: 14px/1.5 ui-monospace, monospace; padding: 1rem; overflow-x: auto; border: 1px solid #8884; border-radius: 6px }
</style></head><body>
<h1>${escaped(title)}</h1>
<pre>${escaped(text)}</pre>
<p>${escaped(note)}</p>${dismiss}
<script>
setInterval(async () => {
  try {
    const response = await fetch('${ERROR_STATE_PATH}', { cache: 'no-store' });
    if (await response.text() !== '${id}') location.reload();
  } catch {}
}, ${POLL});
</script>
</body></html>
`;
}

/** Whether a browser asks for a page, and not a script for data. */
export function asksForPage(method: string | undefined, accept = ''): boolean {
  return method === 'GET' && accept.includes('text/html');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
