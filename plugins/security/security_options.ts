import type { Context } from '../../core/index.js';
import type { GuardName, GuardOptions } from './lib/options.js';
import { securityOf } from './security.js';

const OPTIONS = Symbol('ctx.securityOptions');

type Options = Record<string, GuardOptions>;
type WithOptions = Context & { [OPTIONS]?: Options };

/** The options of guards for this request; assigning one changes its header at once. */
export function securityOptionsOf(ctx: Context): Options {
  return ((ctx as WithOptions)[OPTIONS] ??= new Proxy<Options>(Object.create(null), {
    set(options, name, value: GuardOptions) {
      options[name as string] = value;
      securityOf(ctx.app).override(ctx, name as GuardName, value);
      return true;
    },
  }));
}

/** What was assigned before the headers were set. */
export function reapplySecurityOptions(ctx: Context): void {
  const options = (ctx as WithOptions)[OPTIONS];
  if (options === undefined) return;
  for (const [name, value] of Object.entries(options)) securityOf(ctx.app).override(ctx, name as GuardName, value);
}
