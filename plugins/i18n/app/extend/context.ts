import type { Context } from '../../../../core/index.js';
import type { LocaleOrigin } from '../../lib/options.js';
import { translatorOf } from '../../translator.js';

const contextOf = (self: unknown): Context => self as Context;

/** The text of a key in the locale of the request, with the values in it. */
function gettext(this: unknown, key: unknown, ...values: unknown[]): string {
  const ctx = contextOf(this);
  const translator = translatorOf(ctx.app);
  return translator.text(translator.find(ctx).locale, key, values);
}

export default {
  __: gettext,
  gettext,

  get locale(): string {
    const ctx = contextOf(this);
    return translatorOf(ctx.app).find(ctx).locale;
  },

  set locale(locale: string) {
    const ctx = contextOf(this);
    translatorOf(ctx.app).set(ctx, locale);
  },

  __getLocale(): string {
    return contextOf(this).locale;
  },

  __setLocale(locale: string): void {
    contextOf(this).locale = locale;
  },

  /** Where the locale comes from. */
  __getLocaleOrigin(): LocaleOrigin {
    const ctx = contextOf(this);
    return translatorOf(ctx.app).find(ctx).origin;
  },
};
