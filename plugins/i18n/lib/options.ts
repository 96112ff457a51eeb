/** `config.i18n`. */
export interface I18nConfig {
  /** Taken if the client asks for none that there is; default `en_US`. */
  defaultLocale?: string;
  /** Directories beside `config/locale` and `config/locales` of every load unit. */
  dirs?: string[];
  queryField?: string;
  cookieField?: string;
  cookieDomain?: string;
  /** How long the client remembers its locale: milliseconds, or a text such as `1y`. */
  cookieMaxAge?: number | string;
  /** Other names of locales: `{ de: 'de_DE' }`. */
  localeAlias?: Record<string, string>;
  /** Whether the client remembers its locale in a cookie; default true. */
  writeCookie?: boolean;
}

/** Where the locale of a request comes from. */
export type LocaleOrigin = 'query' | 'cookie' | 'header' | 'default' | 'set';

/** Forms of a text by the category of a number: https://cldr.unicode.org/index/cldr-spec/plural-rules */
export type PluralForms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** The texts of a locale by key. */
export type Texts = Map<string, string | PluralForms>;

/** @returns the form in which locales are compared: `zh_CN` is `zh-cn` */
export function normalizeLocale(locale: string): string {
  return locale.replaceAll('_', '-').toLowerCase();
}
