import path from 'node:path';
import type { Context } from '../../../core/index.js';
import { ClutchError } from '../../../errors.js';
import { channels, trace } from '../../../tracing/channels.js';
import { isRecorded } from '../../../tracing/recording.js';
import type { Locals, ViewEngine, ViewOptions } from '../lib/options.js';
import type { ViewManager } from '../lib/view_manager.js';
import { EtaEngine } from './eta_engine.js';

/** `ctx.view`: renders templates with the locals of the request. */
export class ContextView {
  readonly #ctx: Context;
  readonly #views: ViewManager;

  constructor(ctx: Context, views: ViewManager) {
    this.#ctx = ctx;
    this.#views = views;
  }

  /** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND, ERR_CLUTCH_CONFIG if no engine is for the template */
  async render(name: string, locals: Locals = {}, options: ViewOptions = {}): Promise<string> {
    const { file, root } = this.#views.find(name);
    const { mapping } = this.#views.config;
    const extension = path.extname(file);
    const engine = options.viewEngine ?? (Object.hasOwn(mapping, extension) ? mapping[extension] : undefined);
    return this.#call('render', file, locals, { ...options, name, root, locals }, engine);
  }

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG if no engine is named */
  async renderString(template: string, locals: Locals = {}, options: ViewOptions = {}): Promise<string> {
    return this.#call('renderString', template, locals, options, options.viewEngine);
  }

  #call(
    method: keyof ViewEngine,
    template: string,
    locals: Locals,
    options: ViewOptions,
    named: string | undefined,
  ): Promise<string> {
    const ctx = this.#ctx;
    const engine = this.#engine(named || this.#views.config.defaultViewEngine, template);
    // An engine of Egg 3 may be a generator function.
    const run = ctx.app.toAsyncFunction(engine[method]) as ViewEngine['render'];
    const all = { ctx, request: ctx.request, helper: ctx.helper, ...ctx.locals, ...locals };
    const render = (): Promise<string> => Promise.resolve(run.call(engine, template, all, options));
    if (!channels.view.hasSubscribers && !isRecorded(ctx)) return render();
    const name = method === 'render' ? template : '(string)';
    return trace('view', { ctx, name, engine: engine.constructor.name }, render);
  }

  #engine(name: string, template: string): ViewEngine {
    const Engine = this.#views.get(name);
    if (Engine) return new Engine(this.#ctx);
    if (name === 'eta' || (name === '' && this.#views.size === 0)) return new EtaEngine(this.#ctx);
    throw new ClutchError(
      'ERR_CLUTCH_CONFIG',
      name ? `Can't find ViewEngine "${name}"` : `Can't find viewEngine for ${template}`,
      {
        where: `registered: ${[...this.#views.keys(), 'eta'].join(', ')}`,
        fix: 'Map the extension to an engine in config.view.mapping, or set config.view.defaultViewEngine.',
      },
    );
  }
}
