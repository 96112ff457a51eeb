import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import { findTemplate, type Template } from './find_template.js';
import type { ViewConfig, ViewEngineClass } from './options.js';

/** `app.view`: engines by name, and where templates are. */
export class ViewManager extends Map<string, ViewEngineClass> {
  readonly config: Required<Omit<ViewConfig, 'root'>> & { root: string[] };
  readonly #found = new Map<string, Template>();

  constructor(config: ViewConfig) {
    super();
    const { root = '', cache = true, defaultExtension = '', defaultViewEngine = '', mapping = {} } = config;
    const roots = root.split(/\s*,\s*/).filter(Boolean);
    this.config = {
      root: roots.map((directory) => path.normalize(directory)),
      cache,
      defaultExtension: extensionOf(defaultExtension),
      defaultViewEngine,
      mapping: Object.fromEntries(
        Object.entries(mapping).map(([extension, engine]) => [extensionOf(extension), engine]),
      ),
    };
  }

  /**
   * Registers an engine.
   *
   * @throws {ClutchError} ERR_CLUTCH_OPTION for a name that is taken and for a class that is no engine
   */
  use(name: string, Engine: ViewEngineClass): void {
    if (!name) throw wrongEngine('name is required');
    if (this.has(name)) throw wrongEngine(`${name} has been registered`);
    for (const method of ['render', 'renderString'] as const) {
      if (typeof Engine?.prototype?.[method] !== 'function') {
        throw wrongEngine(`viewEngine should implement \`${method}\` method: ${name}`);
      }
    }
    this.set(name, Engine);
  }

  /** @returns the file of a template */
  async resolve(name: string): Promise<string> {
    return this.find(name).file;
  }

  /** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND */
  find(name: string): Template {
    const kept = this.#found.get(name);
    if (kept) return kept;
    const { root, defaultExtension, cache } = this.config;
    const found = typeof name === 'string' ? findTemplate(root, name, defaultExtension) : undefined;
    if (!found) {
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `Can't find ${name} from ${root.join(',')}`, {
        where: 'config.view.root',
        fix: `Add the template; ${defaultExtension || 'no extension'} is added to a name without one.`,
      });
    }
    // Only names of templates are kept, so a name from a client takes no memory.
    if (cache) this.#found.set(name, found);
    return found;
  }
}

function extensionOf(text: string): string {
  return text === '' || text.startsWith('.') ? text : `.${text}`;
}

function wrongEngine(what: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_OPTION', what, {
    where: 'app.view.use(name, Engine)',
    fix: 'Register a class with render(file, locals, options) and renderString(template, locals, options) once.',
  });
}
