import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Context } from '../../core/index.js';
import { milliseconds } from '../../framework/index.js';
import { format, pluralForm } from './lib/format.js';
import { type I18nConfig, type LocaleOrigin, normalizeLocale, type Texts } from './lib/options.js';

const require = createRequire(import.meta.url);
const TRANSLATOR = Symbol('app.translator');
const FOUND = Symbol('ctx.locale');

interface Found {
  locale: string;
  origin: LocaleOrigin;
}

interface App {
  config: { i18n: I18nConfig };
  loader: { getLoadUnits(): { path: string }[]; loadFile(file: string): unknown };
  [TRANSLATOR]?: Translator;
}

/** The texts of an app, and which locale a request is in. */
export class Translator {
  readonly #config: I18nConfig;
  readonly #locales: Map<string, Texts>;
  readonly #aliases: Map<string, string>;
  readonly #default: string;
  readonly #cookieAge: number;

  constructor(app: App) {
    const config = app.config.i18n;
    const { defaultLocale = 'en_US', dirs = [], cookieMaxAge = '1y', localeAlias = {} } = config;
    this.#config = config;
    this.#default = normalizeLocale(defaultLocale);
    this.#cookieAge = milliseconds(cookieMaxAge, 'config.i18n.cookieMaxAge');
    this.#aliases = new Map(Object.entries(localeAlias).map((pair) => pair.map(normalizeLocale) as [string, string]));
    const own = app.loader
      .getLoadUnits()
      .flatMap((unit) => ['locale', 'locales'].map((name) => path.join(unit.path, 'config', name)));
    const directories = [...own, ...dirs].filter((directory) => existsSync(directory));
    this.#locales = directories.length > 0 ? loadTexts(directories, app) : new Map();
  }

  /** @returns the text of a key with the values in it; the key itself if there is none */
  text(locale: string, key: unknown, values: readonly unknown[]): string {
    if (key === undefined || key === null) return '';
    const name = String(key);
    const found = this.#locales.get(locale)?.get(name) ?? name;
    return format(typeof found === 'string' ? found : pluralForm(found, locale, values), values);
  }

  /** The locale of a request; the client is told to remember it. */
  find(ctx: Context & { [FOUND]?: Found }): Found {
    return (ctx[FOUND] ??= this.#negotiate(ctx));
  }

  set(ctx: Context & { [FOUND]?: Found }, given: string): void {
    const locale = this.resolve(given);
    ctx[FOUND] = { locale, origin: 'set' };
    this.#remember(ctx, locale);
  }

  /** @returns the name under which a locale is known here */
  resolve(given: string): string {
    const locale = normalizeLocale(given);
    return this.#aliases.get(locale) ?? locale;
  }

  #negotiate(ctx: Context): Found {
    const { queryField = 'locale', cookieField = 'locale' } = this.#config;
    const asked = this.#known(ctx.query[queryField]);
    const remembered =
      ctx.req.headers.cookie === undefined ? undefined : ctx.cookies.get(cookieField, { signed: false });
    const found: Found = (asked !== undefined && { locale: asked, origin: 'query' }) ||
      this.#fromCookie(remembered) ||
      this.#fromHeader(ctx) || { locale: this.#default, origin: 'default' };
    if (found.locale !== remembered) this.#remember(ctx, found.locale);
    return found;
  }

  #fromCookie(remembered: string | undefined): Found | undefined {
    const locale = this.#known(remembered);
    return locale === undefined ? undefined : { locale, origin: 'cookie' };
  }

  #fromHeader(ctx: Context): Found | undefined {
    if (ctx.req.headers['accept-language'] === undefined) return undefined;
    for (const language of [ctx.acceptsLanguages()].flat()) {
      const locale = typeof language === 'string' ? (this.#known(language) ?? this.#sameLanguage(language)) : undefined;
      if (locale !== undefined) return { locale, origin: 'header' };
    }
    return undefined;
  }

  /** @returns undefined for a locale that has no texts: what a client sends goes no further */
  #known(given: unknown): string | undefined {
    if (typeof given !== 'string' || given === '' || given.length > 40) return undefined;
    const locale = this.resolve(given);
    return locale === this.#default || this.#locales.has(locale) ? locale : undefined;
  }

  /** A browser that asks for `zh` is better served with `zh-cn` than with the default. */
  #sameLanguage(given: string): string | undefined {
    const [language] = normalizeLocale(given).split('-');
    if (given.length > 40 || language === undefined) return undefined;
    const candidates = [this.#default, ...this.#locales.keys()];
    return candidates.find((locale) => locale.split('-', 1)[0] === language);
  }

  #remember(ctx: Context, locale: string): void {
    const { writeCookie = true, cookieField = 'locale', cookieDomain } = this.#config;
    if (!writeCookie || ctx.headerSent) return;
    const domain = cookieDomain || undefined;
    ctx.cookies.set(cookieField, locale, {
      signed: false,
      httpOnly: false,
      maxAge: this.#cookieAge,
      overwrite: true,
      domain,
    });
  }
}

function loadTexts(directories: string[], app: App): Map<string, Texts> {
  const { readTexts } = require('./lazy/texts.js') as typeof import('./lazy/texts.js');
  return readTexts(directories, (file) => app.loader.loadFile(file));
}

/** @returns the translator of an app, made at first use */
export function translatorOf(app: unknown): Translator {
  return ((app as App)[TRANSLATOR] ??= new Translator(app as App));
}
