import type { I18nConfig } from '../lib/options.js';

export default {
  i18n: {
    defaultLocale: 'en_US',
    dirs: [],
    queryField: 'locale',
    cookieField: 'locale',
    cookieDomain: '',
    cookieMaxAge: '1y',
    localeAlias: {},
    writeCookie: true,
  } satisfies I18nConfig,
};
