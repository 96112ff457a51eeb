import { createRequire } from 'node:module';
import path from 'node:path';
import type { Eta, Options } from 'eta';
import type { Context } from '../../../core/index.js';
import { ClutchError } from '../../../errors.js';
import { findTemplate, isInside } from '../lib/find_template.js';
import type { Locals, ViewEngine } from '../lib/options.js';
import type { ViewManager } from '../lib/view_manager.js';

const require = createRequire(import.meta.url);
const ETA = Symbol('app.eta');

interface App {
  view: ViewManager;
  config: { eta?: object };
  [ETA]?: Eta;
}

/** The engine of an app that has registered none: https://eta.js.org, with options in `config.eta`. */
export class EtaEngine implements ViewEngine {
  readonly #eta: Eta;

  constructor(ctx: Context) {
    const app = ctx.app as unknown as App;
    this.#eta = app[ETA] ??= createEta(app);
  }

  render(file: string, locals: Locals): Promise<string> {
    return this.#eta.renderAsync(file, locals);
  }

  renderString(template: string, locals: Locals): Promise<string> {
    return this.#eta.renderStringAsync(template, locals);
  }
}

function createEta({ view, config }: App): Eta {
  const { Eta: Base } = require('eta') as typeof import('eta');
  const { root, cache, defaultExtension } = view.config;
  class EtaOfViews extends Base {
    /** Includes and layouts lie where templates do, or beside the template that names them. */
    override resolvePath = (template: string, options?: Partial<Options>): string => {
      if (path.isAbsolute(template) && root.some((directory) => isInside(path.normalize(template), directory))) {
        return template;
      }
      const beside = /^\.{1,2}\//.test(template) && options?.filepath ? path.dirname(options.filepath) : undefined;
      const name = beside === undefined ? template : path.join(beside, template);
      const places = beside === undefined ? root : root.filter((directory) => isInside(name, directory));
      const found = places.map((directory) =>
        findTemplate([directory], beside === undefined ? name : path.relative(directory, name), defaultExtension),
      );
      const first = found.find((one) => one !== undefined);
      if (first) return first.file;
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `Can't find ${template} from ${root.join(',')}`, {
        where: options?.filepath ?? 'a template',
        fix: 'Name a template below config.view.root.',
      });
    };
  }
  return new EtaOfViews({ views: root[0], cache, cacheFilepaths: false, ...config.eta });
}
