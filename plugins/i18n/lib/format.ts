import { format as formatText } from 'node:util';
import type { PluralForms } from './options.js';

/**
 * Puts values into a text: `%s`, `%d` and the others of `util.format`, `{0}` from a list, `{name}` from an object.
 * What has no value stays as it is.
 */
export function format(text: string, values: readonly unknown[]): string {
  if (values.length === 0) return text;
  const [first] = values;
  if (values.length > 1 || typeof first !== 'object' || first === null) return formatText(text, ...values);
  const named = first as Record<string, unknown>;
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    if (!Object.hasOwn(named, name)) return placeholder;
    const value = named[name];
    return Array.isArray(first) || (value !== undefined && value !== null) ? String(value) : placeholder;
  });
}

const rules = new Map<string, Intl.PluralRules>();

/** @returns the form for the number that is the first value, or its `count` */
export function pluralForm(forms: PluralForms, locale: string, values: readonly unknown[]): string {
  const [first] = values;
  const count = typeof first === 'number' ? first : (first as { count?: unknown } | undefined)?.count;
  if (typeof count !== 'number') return forms.other;
  let rule = rules.get(locale);
  if (!rule) {
    const [known = 'en'] = Intl.PluralRules.supportedLocalesOf(isLanguageTag(locale) ? locale : 'en');
    rule = new Intl.PluralRules(known);
    rules.set(locale, rule);
  }
  return forms[rule.select(count)] ?? forms.other;
}

function isLanguageTag(locale: string): boolean {
  return /^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/.test(locale);
}
