import { ClutchError } from '../../errors.js';
import { channels } from '../../tracing/channels.js';
import { isRecorded } from '../../tracing/recording.js';
import { isClass } from './export_kind.js';
import { EXPORTS, FileLoader, type FileLoaderOptions } from './file_loader.js';
import { tracedClass } from './traced_class.js';

export interface ContextLoaderOptions extends Omit<FileLoaderOptions, 'target' | 'inject'> {
  /** The property on `ctx`. */
  property: string;
  /** The application. */
  inject: { context: object };
  /** The property of the application that gets the raw tree, e.g. `serviceClasses`. */
  fieldClass?: string;
  /** The tree of an earlier load into the same property; the files are added to it. */
  target?: object;
}

type Tree = Record<string, unknown>;
/** The containers and instances of one context. */
type Level = new (ctx: object) => object;

/** Where on `ctx` something is: `user.find` of `service`. */
interface Place {
  property: string;
  path: string;
}

/** Loads files into a property of `ctx`; classes are instantiated on first use, once per context. */
export class ContextLoader extends FileLoader {
  readonly #property: string;
  readonly #app: { context: object };

  /** @throws {ClutchError} ERR_CLUTCH_OPTION without property or inject */
  constructor(options: ContextLoaderOptions) {
    const { property, inject, fieldClass, target = {}, ...rest } = options;
    for (const key of ['property', 'inject'] as const) {
      if (!options[key]) {
        throw new ClutchError('ERR_CLUTCH_OPTION', `options.${key} is required`, { fix: `Give ContextLoader ${key}.` });
      }
    }
    if (fieldClass) Object.assign(inject, { [fieldClass]: target });
    super({ ...rest, target, inject });
    this.#property = property;
    this.#app = inject;
  }

  override load(): object {
    const tree = super.load() as Tree;
    const Root = levelClass(tree, { property: this.#property, path: '' });
    const cache = Symbol(`ctx.${this.#property}`);
    Object.defineProperty(this.#app.context, this.#property, {
      configurable: true,
      get(this: Record<symbol, object>) {
        return (this[cache] ??= new Root(this));
      },
    });
    return tree;
  }
}

/**
 * Builds one class per directory, once: its prototype has a getter for each entry, so that a context costs one
 * object for each level it touches and nothing for services it does not use.
 */
function levelClass(tree: Tree, { property, path }: Place): Level {
  class ContextLevel {
    readonly #ctx: object;
    readonly #values = new Map<string, unknown>();

    constructor(ctx: object) {
      this.#ctx = ctx;
    }

    static define(name: string, create: (ctx: object) => unknown): void {
      Object.defineProperty(ContextLevel.prototype, name, {
        configurable: true,
        get(this: ContextLevel) {
          let value = this.#values.get(name);
          if (!value) {
            value = create(this.#ctx);
            this.#values.set(name, value);
          }
          return value;
        },
      });
    }
  }
  for (const [name, node] of Object.entries(tree)) {
    ContextLevel.define(name, creator(node, { property, path: path === '' ? name : `${path}.${name}` }));
  }
  return ContextLevel;
}

function creator(node: unknown, place: Place): (ctx: object) => unknown {
  if (isClass(node)) {
    return (ctx) =>
      new (channels.service.hasSubscribers || isRecorded(ctx as never) ? tracedClass(node, place) : node)(ctx);
  }
  const isDirectory = typeof node === 'object' && node !== null && !(EXPORTS in node);
  if (!isDirectory) return () => node;
  const Level = levelClass(node as Tree, place);
  return (ctx) => new Level(ctx);
}
