import { createRequire } from 'node:module';
import type { Context } from '../../../../core/index.js';
import type { ShtmlOptions } from '../../lazy/shtml.js';
import { compileDomains } from '../../lib/domains.js';
import {
  escapeHtml,
  escapeScript,
  filterArgument,
  filterCommand,
  quoteArgument,
  safePath,
  safeUrl,
  scriptJson,
} from '../../lib/escape.js';
import { securityOf } from '../../security.js';
import { securityOptionsOf } from '../../security_options.js';

const require = createRequire(import.meta.url);

interface Self {
  ctx: Context;
}

export default {
  escape: escapeHtml,
  sjs: escapeScript,
  sjson: scriptJson,
  spath: safePath,
  cliFilter: filterArgument,
  escapeShellArg: quoteArgument,
  escapeShellCmd: filterCommand,

  surl(this: Self, url: unknown): unknown {
    return safeUrl(url, securityOf(this.ctx.app).config.protocolWhiteList ?? []);
  },

  shtml(this: Self, html: unknown): unknown {
    if (typeof html !== 'string') return html;
    const { ctx } = this;
    const { filterHtml } = require('../../lazy/shtml.js') as typeof import('../../lazy/shtml.js');
    const { helper } = ctx.app.config as { helper?: { shtml?: ShtmlOptions } };
    const options: ShtmlOptions = { ...helper?.shtml, ...securityOptionsOf(ctx)['shtml'] };
    const isMore = compileDomains(options.domainWhiteList ?? []);
    return filterHtml(html, options, (domain) => securityOf(ctx.app).isSafeDomain(domain) || isMore(domain));
  },
};
