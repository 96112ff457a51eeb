import type { ListenOptions } from 'node:net';
import { ClutchError } from '../errors.js';
import type { Channel, ChannelOptions, ClusterClientOptions, RealClient } from './client_types.js';
import { ClusterClient, DELEGATES, type Delegate, delegatesOf } from './cluster_client.js';
import { Follower } from './follower.js';
import { LeaderChannel } from './leader_channel.js';
import { LeaderServer } from './server.js';

type ClientClass<T, A extends unknown[]> = new (...args: A) => T;

/** Real clients that are used in this process, by name. */
type LeaderChannels = Map<string, LeaderChannel>;

/** Where the real clients of a process are. */
export type Role =
  /** In this process, for others as well. */
  | { kind: 'leader'; token: string; listen(): ListenOptions }
  /** In the Agent. */
  | { kind: 'follower'; token: string; address(): ListenOptions | undefined }
  /** In this process, which is the only one. */
  | { kind: 'single'; channels: LeaderChannels };

/** The clients of one application that Leader and Followers share. */
export class ClusterClients {
  readonly #role: Role;
  readonly #defaults: ClusterClientOptions;
  readonly #onError: (error: Error) => void;
  readonly #channels: LeaderChannels;
  readonly #clients = new Set<ClusterClient>();
  #server: LeaderServer | undefined;
  #follower: Follower | undefined;

  constructor(role: Role, defaults: ClusterClientOptions, onError: (error: Error) => void) {
    this.#role = role;
    this.#defaults = defaults;
    this.#onError = onError;
    this.#channels = role.kind === 'single' ? role.channels : new Map();
  }

  /** @returns what makes clients of a class, once it knows which methods do what */
  builder<T, A extends unknown[]>(
    Class: ClientClass<T, A>,
    options: ClusterClientOptions = {},
  ): ClusterClientBuilder<T, A> {
    return new ClusterClientBuilder(Class, options, (delegates, overrides, args) =>
      this.#create(Class as unknown as ClientClass<RealClient, unknown[]>, options, delegates, overrides, args),
    );
  }

  #create(
    Class: ClientClass<RealClient, unknown[]>,
    options: ClusterClientOptions,
    delegates: Map<string, Delegate>,
    overrides: Map<string, unknown>,
    args: unknown[],
  ): ClusterClient {
    const client: { current?: ClusterClient } = {};
    const onError = (error: Error): void => void (client.current?.emit('error', error) ?? this.#onError(error));
    const channel = this.#channel(Class, this.#complete(Class, options, delegates, onError), args);
    const created = new ClusterClient(channel, this.#onError, () => this.#clients.delete(created));
    client.current = created;
    for (const [from, to] of delegates) created.addDelegate(from, to);
    for (const [name, value] of overrides) Object.defineProperty(created, name, { value, configurable: true });
    if (channel instanceof LeaderChannel) passEventsOn(channel.client, created);
    this.#clients.add(created);
    return created;
  }

  #complete(
    Class: { name: string },
    options: ClusterClientOptions,
    delegates: Map<string, Delegate>,
    onError: (error: Error) => void,
  ): ChannelOptions {
    const { autoGenerate: _, ...given } = { ...this.#defaults, ...options };
    return {
      name: Class.name,
      responseTimeout: 60_000,
      maxWaitTime: 60_000,
      heartbeatInterval: 20_000,
      isBroadcast: true,
      formatKey: (registration) => JSON.stringify(registration) ?? 'undefined',
      ...given,
      // A method `watch` that is delegated to `subscribe` is the one that subscribes.
      methods: Object.fromEntries([...delegates].map(([from, to]) => [to, from])),
      onError,
    };
  }

  #channel(Class: ClientClass<RealClient, unknown[]>, options: ChannelOptions, args: unknown[]): Channel {
    const role = this.#role;
    if (role.kind === 'follower') {
      this.#follower ??= new Follower(() => role.address(), role.token);
      return this.#follower.channel(options);
    }
    const existing = this.#channels.get(options.name);
    if (existing) return existing.share();
    const channel = new LeaderChannel(new Class(...args), options, () => {
      this.#channels.delete(options.name);
      this.#server?.remove(options.name);
    });
    this.#channels.set(options.name, channel);
    if (role.kind === 'leader') {
      this.#server ??= this.#serve(role);
      this.#server.checkHeartbeats(options.heartbeatInterval);
      this.#server.add(options.name, channel);
    }
    return channel;
  }

  #serve({ token, listen }: { token: string; listen(): ListenOptions }): LeaderServer {
    const server = new LeaderServer(token, this.#onError);
    server.listen(listen());
    return server;
  }

  /** There is another Agent now. */
  agentChanged(): void {
    this.#follower?.moved();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
    this.#server?.close();
    this.#follower?.close();
  }
}

/** Says which methods of a class do what, and makes clients of it. */
export class ClusterClientBuilder<T, A extends unknown[]> {
  readonly #Class: ClientClass<T, A>;
  readonly #autoGenerate: boolean;
  readonly #create: (
    delegates: Map<string, Delegate>,
    overrides: Map<string, unknown>,
    args: unknown[],
  ) => ClusterClient;
  readonly #explicit = new Map<string, Delegate>();
  readonly #overrides = new Map<string, unknown>();

  constructor(
    Class: ClientClass<T, A>,
    { autoGenerate = true }: ClusterClientOptions,
    create: (delegates: Map<string, Delegate>, overrides: Map<string, unknown>, args: unknown[]) => ClusterClient,
  ) {
    this.#Class = Class;
    this.#autoGenerate = autoGenerate;
    this.#create = create;
  }

  /** Has the method `from` of the client do what `to` says. */
  delegate(from: string, to: Delegate = 'invoke'): this {
    if (!DELEGATES.includes(to)) {
      throw new ClutchError('ERR_CLUTCH_CLIENT', `${from} cannot be delegated to ${to}`, {
        fix: `Delegate to one of: ${DELEGATES.join(', ')}.`,
      });
    }
    this.#explicit.set(from, to);
    return this;
  }

  /** Gives the client a property in place of one of the real client. */
  override(name: string, value: unknown): this {
    this.#overrides.set(name, value);
    return this;
  }

  /**
   * Makes the client: in the Agent around a real one, elsewhere connected to that.
   *
   * @param args of the constructor
   */
  create(...args: A): T & ClusterClient {
    const delegates = delegatesOf(this.#Class, this.#explicit, this.#autoGenerate);
    return this.#create(delegates, this.#overrides, args) as T & ClusterClient;
  }
}

/** Events of the real client reach those who listen to its wrapper in the same process. */
function passEventsOn(real: RealClient, client: ClusterClient): void {
  if (typeof real['emit'] !== 'function') return;
  const emit = (real['emit'] as (...args: unknown[]) => boolean).bind(real);
  real['emit'] = (event: string | symbol, ...args: unknown[]): boolean => {
    // Without a listener of its own, an `error` would be thrown; the wrapper logs it.
    const listened = event === 'error' && (real['listenerCount'] as (event: string) => number)?.('error') === 0;
    const handled = listened ? false : emit(event, ...args);
    return client.emit(event, ...args) || handled;
  };
}
