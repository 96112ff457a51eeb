import type { Carrier } from '../tracing/payloads.js';

/** Connects a client of this process to the real client, which is in this process or in the Agent. `carrier` is what a tracer sends along. */
export interface Channel {
  readonly options: Pick<ChannelOptions, 'name' | 'formatKey'>;
  readonly isLeader: boolean;
  ready(): Promise<void>;
  /** @param callback whether the caller gave a callback; then a plain function of the real client gets one as well */
  invoke(method: string, args: unknown[], callback: boolean, carrier?: Carrier): Promise<unknown>;
  invokeOneway(method: string, args: unknown[], carrier?: Carrier): void;
  subscribe(registration: unknown, listener: Listener): void;
  unSubscribe(registration: unknown, listener?: Listener): void;
  publish(registration: unknown, carrier?: Carrier): void;
  close(): Promise<void>;
}

export type Listener = (value: unknown) => void;

interface Transcode {
  encode(value: unknown): Buffer;
  decode(bytes: Buffer): unknown;
}

export interface ClusterClientOptions {
  /** Name of the channel that Leader and Followers share; default the name of the class. */
  name?: string;
  /** Milliseconds until a call without a reply fails; default `config.clusterClient.responseTimeout`, 60000. */
  responseTimeout?: number;
  /** Milliseconds that `ready()` waits for the Leader; default `config.clusterClient.maxWaitTime`, 60000. */
  maxWaitTime?: number;
  /** Milliseconds between two heartbeats; default 20000. */
  heartbeatInterval?: number;
  /** Whether each value goes to all subscribers; false gives it to one of them. Default true. */
  isBroadcast?: boolean;
  /** Whether methods are delegated without being named; default true. */
  autoGenerate?: boolean;
  /** How values are turned into bytes; default: JSON, and V8's format where JSON would change a value. */
  transcode?: Transcode;
  /** @returns the same text for registrations that mean the same */
  formatKey?(registration: unknown): string;
}

export type ChannelOptions = Required<Omit<ClusterClientOptions, 'autoGenerate' | 'transcode'>> &
  Pick<ClusterClientOptions, 'transcode'> & {
    /** Methods of the real client by what is delegated to them, e.g. `subscribe` to `watch`. */
    methods: Readonly<Record<string, string>>;
    /** Gets what listeners throw, and the errors of one-way calls. */
    onError: (error: Error) => void;
  };

/** The real client, as far as one can know it. */
export interface RealClient {
  [method: string]: unknown;
}
