import { readFileSync } from 'node:fs';
import type { Context } from '../../../core/index.js';

const templates = new Map<string, string>();

/**
 * Renders an HTML file: each `{{name}}` is replaced by the escaped value of that name, or by nothing. The file is cached, except
 * in env `local`.
 */
export function errorPage(ctx: Context, file: string, values: Record<string, unknown>): string {
  let template = ctx.app.config.env === 'local' ? undefined : templates.get(file);
  if (template === undefined) {
    template = readFileSync(file, 'utf8');
    templates.set(file, template);
  }
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_all, name: string) =>
    Object.hasOwn(values, name) ? escapeHtml(String(values[name] ?? '')) : '',
  );
}

/** Redirects to an address from the config. It is trusted: plugin `security` checks those of `ctx.redirect()`. */
export function redirectToPage(ctx: Context, url: string): void {
  const { response } = ctx as { response: { redirect(url: string): void; unsafeRedirect?(url: string): void } };
  if (response.unsafeRedirect) response.unsafeRedirect(url);
  else response.redirect(url);
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
