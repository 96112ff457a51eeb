import { createRequire } from 'node:module';
import type { FilterXSS, IFilterXSSOptions } from 'xss';
import type { DomainTest } from '../lib/domains.js';

const require = createRequire(import.meta.url);

/** `config.helper.shtml`: the options of the library `xss`, with more domains that links may lead to. */
export interface ShtmlOptions extends IFilterXSSOptions {
  domainWhiteList?: string[];
}

/**
 * Leaves of HTML what is harmless: elements and attributes of a white list, and links to this site and to known domains.
 *
 * @param isKnownDomain where `href` and `src` may lead
 */
export function filterHtml(html: string, options: ShtmlOptions, isKnownDomain: DomainTest): string {
  const {
    FilterXSS: Filter,
    safeAttrValue,
    cssFilter,
  } = require('xss') as {
    FilterXSS: typeof FilterXSS;
    safeAttrValue(tag: string, name: string, value: string, css: unknown): string;
    cssFilter: unknown;
  };
  const filter = new Filter({
    ...options,
    onTagAttr(tag, name, value, isAllowed) {
      if (isAllowed && (name === 'href' || name === 'src') && !leadsToKnown(value, isKnownDomain)) return '';
      return options.onTagAttr?.(tag, name, value, isAllowed);
    },
    safeAttrValue: options.safeAttrValue ?? ((tag, name, value) => safeAttrValue(tag, name, value, cssFilter)),
  });
  return filter.process(html);
}

const BASE = 'http://own.invalid';

function leadsToKnown(value: string, isKnownDomain: DomainTest): boolean {
  if (!URL.canParse(value, BASE)) return false;
  const { protocol, hostname, origin } = new URL(value, BASE);
  if (origin === BASE) return true;
  // What has no host is for the library to judge.
  return hostname === '' ? protocol !== 'javascript:' : isKnownDomain(hostname);
}
