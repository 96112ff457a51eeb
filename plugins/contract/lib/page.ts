interface Document {
  info: { title: string; version: string };
  paths: Record<string, Record<string, { summary?: string; description?: string }>>;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);

/** @returns the API document as a page that loads nothing and runs no script */
export function openApiPage(document: Record<string, unknown>, jsonPath: string): string {
  const { info, paths } = document as unknown as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary = '', description = '', ...rest }]) => {
      const title = `<code>${escapeHtml(method.toUpperCase())} ${escapeHtml(path)}</code> ${escapeHtml(summary)}`;
      const details = `<p>${escapeHtml(description)}</p><pre>${escapeHtml(JSON.stringify(rest, null, 2))}</pre>`;
      return `<details><summary>${title}</summary>${details}</details>`;
    }),
  );
  const title = `${escapeHtml(info.title)} ${escapeHtml(info.version)}`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid; border-radius: 6px; margin: 0.5rem 0; padding: 0.5rem 1rem; }
pre { overflow: auto; font-size: 13px; }
</style>
<h1>${title}</h1>
<p><a href="${escapeHtml(jsonPath)}">${escapeHtml(jsonPath)}</a></p>
${operations.join('\n') || '<p>No route has a contract yet.</p>'}
</html>
`;
}
