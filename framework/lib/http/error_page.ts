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

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
