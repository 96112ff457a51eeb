import { ClutchError } from '../../errors.js';
import type { Logger } from './logger/logger.js';
import { withinTime } from './time/time_limit.js';

/** How a plugin makes one client from the config of that client. */
export type CreateClient<A, C, T> = (config: C, app: A, clientName?: string) => T | Promise<T>;

/** What a singleton needs of Agent or Application. */
interface SingletonHost {
  readonly config: Record<string, unknown>;
  readonly coreLogger: Logger;
  toAsyncFunction<F>(fn: F): F;
  beforeStart(task: () => unknown, name?: string): void;
}

interface SingletonConfig {
  default?: object;
  client?: object;
  clients?: Record<string, object>;
  /** The name that `create` gets for `client`. */
  name?: string;
}

/** Methods that end a client, in the order in which they are looked for. */
const CLOSERS = ['close', 'quit', 'end', 'destroy'] as const;

/** Milliseconds that one client may take to close: a client that never connected may wait for ever. */
const CLOSE_LIMIT = 2000;

/**
 * The clients of a plugin, made from `config[name]`: one from `client`, or several by id from `clients`.
 * `default` is merged below the config of each.
 */
export class Singleton<T = unknown, C = unknown> {
  readonly clients: Map<string, T> = new Map();
  readonly name: string;
  readonly options: SingletonConfig;
  readonly #app: SingletonHost;
  readonly #create: CreateClient<never, C, T>;
  /** Whether it is an async or a generator function. */
  readonly #isAsync: boolean;
  /** Clients of the config, which are closed with the app. Whoever makes one more closes it. */
  readonly #owned = new Set<T>();

  constructor(app: SingletonHost, name: string, create: CreateClient<never, C, T>) {
    this.#app = app;
    this.name = name;
    this.#create = app.toAsyncFunction(create);
    this.#isAsync = this.#create !== create || isAsyncFunction(create);
    this.options = (app.config[name] ?? {}) as SingletonConfig;
  }

  /**
   * Makes the clients of the config, and `app[name]`. The app is not ready before asynchronous ones are there.
   *
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE, ERR_CLUTCH_CONFIG, and what `create` throws
   */
  init(): void {
    const { name, options } = this;
    const app = this.#app as unknown as Record<string, unknown>;
    if (app[name] !== undefined && app[name] !== null) {
      throw new ClutchError('ERR_CLUTCH_DUPLICATE', `${name} is already exists in app`, {
        where: `addSingleton('${name}', …)`,
        fix: 'Give the singleton another name, or turn off one of the two plugins.',
      });
    }
    if (options.client && options.clients) {
      throw new ClutchError('ERR_CLUTCH_CONFIG', `singleton ${name} has both client and clients`, {
        where: `config.${name}`,
        fix: 'Set client for one client, or clients for several by name.',
      });
    }
    if (options.client) {
      this.#own(this.#make(options.client, options.name), (client) => {
        app[name] = client;
        this.#addDynamicMethods(client);
      });
      return;
    }
    const made = Object.entries(options.clients ?? {}).map(([id, config]) =>
      this.#own(this.#make(config, id), (client) => void this.clients.set(id, client)),
    );
    const pending = made.filter((each) => each !== undefined);
    const attach = (): void => {
      app[name] = this;
    };
    if (pending.length === 0) attach();
    else this.#app.beforeStart(() => Promise.all(pending).then(attach), `singleton ${name}`);
  }

  /** @returns undefined for a client that is there at once, else what to wait for, which `ready` does */
  #own(made: T | Promise<T>, attach: (client: T) => void): Promise<void> | undefined {
    const take = (client: T): void => {
      this.#owned.add(client);
      attach(client);
    };
    if (!(made instanceof Promise)) {
      take(made);
      return undefined;
    }
    const taken = made.then(take);
    this.#app.beforeStart(() => taken, `singleton ${this.name}`);
    return taken;
  }

  /** @returns the client with this id, undefined if config.clients has none */
  get(id: string): T | undefined {
    return this.clients.get(id);
  }

  getSingletonInstance(id: string): T | undefined {
    return this.clients.get(id);
  }

  /**
   * Makes one more client; `config.default` is merged below `config`.
   *
   * @throws {ClutchError} ERR_CLUTCH_LIFECYCLE if clients of this plugin are made asynchronously
   */
  createInstance(config: Partial<C>, clientName?: string): T {
    if (this.#isAsync) {
      throw new ClutchError('ERR_CLUTCH_LIFECYCLE', `${this.name} only support create asynchronously`, {
        where: `app.${this.name}.createInstance()`,
        fix: 'Use createInstanceAsync().',
      });
    }
    return this.#make(config, clientName) as T;
  }

  /** Makes one more client; `config.default` is merged below `config`. */
  async createInstanceAsync(config: Partial<C>, clientName?: string): Promise<T> {
    return this.#make(config, clientName);
  }

  #make(config: object, clientName: string | undefined): T | Promise<T> {
    return this.#create({ ...this.options.default, ...config } as C, this.#app as never, clientName);
  }

  #addDynamicMethods(client: T): void {
    const methods = {
      createInstance: (config: Partial<C>, clientName?: string) => this.createInstance(config, clientName),
      createInstanceAsync: (config: Partial<C>, clientName?: string) => this.createInstanceAsync(config, clientName),
    };
    try {
      const target = Object.isExtensible(client) ? client : (Object.getPrototypeOf(client) as object);
      Object.assign(target as object, methods);
    } catch {
      this.#app.coreLogger.warn(
        '[clutch] app.%s cannot be extended: it gets no createInstance() and createInstanceAsync()',
        this.name,
      );
    }
  }

  /** Closes each client of the config that has a method for it; one that fails is logged only, since it may be closed already. */
  async close(): Promise<void> {
    await Promise.all([...this.#owned].map((client) => this.#closeClient(client)));
    this.#owned.clear();
    this.clients.clear();
  }

  async #closeClient(client: T): Promise<void> {
    const members = client as Record<string, unknown> | null | undefined;
    const closer = CLOSERS.find((method) => typeof members?.[method] === 'function');
    if (!closer) return;
    try {
      await withinTime(`${closer}()`, CLOSE_LIMIT, (members as Record<string, () => unknown>)[closer]?.());
    } catch (error) {
      this.#app.coreLogger.info('[clutch] a client of app.%s is not closed: %s', this.name, (error as Error).message);
    }
  }
}

function isAsyncFunction(create: unknown): boolean {
  return Object.prototype.toString.call(create) === '[object AsyncFunction]';
}
