import { translatorOf } from '../../translator.js';

/** The text of a key in a locale, with the values in it. */
function gettext(this: unknown, locale: string, key: unknown, ...values: unknown[]): string {
  const translator = translatorOf(this);
  return translator.text(translator.resolve(locale), key, values);
}

export default { __: gettext, gettext };
