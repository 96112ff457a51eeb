import type { I18nConfig, LocaleOrigin } from './options.js';

export type { I18nConfig };

declare module '../../../core/types.js' {
  interface KnownConfig {
    i18n?: I18nConfig;
  }

  interface ApplicationExtension {
    gettext(locale: string, key: unknown, ...values: unknown[]): string;
    __(locale: string, key: unknown, ...values: unknown[]): string;
  }

  interface ContextExtension {
    gettext(key: unknown, ...values: unknown[]): string;
    __(key: unknown, ...values: unknown[]): string;
    /** The locale of the request, such as `zh-cn`; what is set is remembered by the client. */
    locale: string;
    __getLocale(): string;
    __setLocale(locale: string): void;
    __getLocaleOrigin(): LocaleOrigin;
  }
}
