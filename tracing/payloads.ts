/** Types of other rooms, which add them by declaration merging. @public */
// biome-ignore lint/suspicious/noEmptyInterface: see above
export interface TracedTypes {}

/** `ctx` of a request. */
export type TracedContext = TracedTypes extends { context: infer C extends object } ? C : object;
/** An Application or Agent. */
export type TracedApp = TracedTypes extends { app: infer A extends object } ? A : object;

/** What every payload may hold once its operation has ended. */
export interface Outcome {
  /** What the operation has returned, or its promise resolved to. */
  result?: unknown;
  /** What it has thrown, or its promise rejected with. */
  error?: unknown;
}

/**
 * Headers that travel with a message or a request to another process: a subscriber of `start` adds its own, such as
 * `traceparent`; the receiving process finds them in its payload.
 */
export type Carrier = Record<string, string>;

/** From the construction of an Application or Agent until it is ready, or has failed. */
export interface BootTrace extends Outcome {
  app: TracedApp;
  type: 'application' | 'agent';
  name: string;
}

/** One hook of a Boot class. */
export interface HookTrace extends Outcome {
  app: TracedApp;
  hook: 'configWillLoad' | 'configDidLoad' | 'didLoad' | 'willReady' | 'didReady' | 'serverDidReady' | 'beforeClose';
  /** Its file. */
  file: string;
}

/** A request, from its first middleware until Node has the whole response; one from a stream, until it has been sent or the connection has closed. */
export interface RequestTrace extends Outcome {
  readonly ctx: TracedContext;
  readonly method: string;
  /** The request target as it was sent, with its query: it may hold secrets. */
  readonly url: string;
  /** As the route was declared, once the router has found it. */
  readonly route: string | undefined;
  /** The status of the response as it is now. */
  readonly status: number;
  /** `performance.now()` at its beginning. */
  readonly start: number;
}

/** One middleware of the app or of a route, with everything behind it. */
export interface MiddlewareTrace extends Outcome {
  ctx: TracedContext;
  name: string;
}

export interface ControllerTrace extends Outcome {
  ctx: TracedContext;
  /** `home.index`. */
  name: string;
  /** Its file, for a controller that the loader has loaded. */
  file: string | undefined;
}

/** A call of a method of a service, or of another class that the loader has put on `ctx`. */
export interface ServiceTrace extends Outcome {
  ctx: TracedContext;
  /** Where on `ctx` it is: `service`. */
  property: string;
  /** `user.find`. */
  name: string;
}

export interface ViewTrace extends Outcome {
  ctx: TracedContext;
  /** The file of the template; `(string)` of `renderString`. */
  name: string;
  engine: string;
}

/** A request of `app.curl`, `ctx.curl`, `app.fetch` or `ctx.fetch`, until its response has come. */
export interface HttpClientTrace extends Outcome {
  /** The request that it belongs to. */
  ctx: TracedContext | undefined;
  method: string;
  /** With its query: it may hold secrets. */
  url: string;
  /** A subscriber of `start` may add to these; they are sent with the request's own. */
  headers: Carrier;
  /** Of the response. */
  status?: number;
}

/**
 * A message on one of its two ends. Its context travels in `carrier`.
 *
 * | `kind` | `out` | `in` |
 * |---|---|---|
 * | `message` | `messenger.send*`, `broadcast` | its listeners |
 * | `request` | `messenger.request`, until the reply | the handler |
 * | `stream` | `messenger.stream`, when its first value is read | the handler and its values, until the last |
 * | `invoke` | a method of a cluster client, until the reply | the real client's method, in the Leader |
 * | `oneway` | a method without a reply | the same |
 * | `publish` | `client.publish` | the real client's method, in the Leader |
 * | `push` | a value on its way to subscribers | the listeners of `client.subscribe`, in a Follower |
 */
export interface MessageTrace extends Outcome {
  direction: 'out' | 'in';
  kind: 'message' | 'request' | 'stream' | 'invoke' | 'oneway' | 'publish' | 'push';
  /** The action; of a cluster client its name and the method or key: `config.get`. */
  name: string;
  /** The other end: a kind of process or a pid. */
  peer: string | undefined;
  /** The request that is being handled. */
  ctx: TracedContext | undefined;
  carrier: Carrier;
}

/** A run of a schedule: in the Agent until its result is known, in an app worker the task itself. */
export interface ScheduleTrace extends Outcome {
  phase: 'dispatch' | 'run';
  /** The path of the schedule file. */
  key: string;
  /** As `clutch schedule list` names it. */
  name: string;
  /** The run. */
  id: string;
}

/** A job of a queue: when it is added, and each time it is run. */
export interface JobTrace extends Outcome {
  phase: 'add' | 'run';
  queue: string;
  id: string;
  /** From 1 on; 0 when it is added. */
  attempt: number;
  /** Travels with the job. */
  carrier: Carrier;
}

/** In the Master: a rolling restart of all processes. */
export interface ReloadTrace extends Outcome {
  /** Whether the Agent is replaced too. */
  agent: boolean;
  asker: string | undefined;
}

/** In the Master: a process has ended. */
export interface DeathTrace extends Outcome {
  record: TracedTypes extends { death: infer R extends object } ? R : object;
}

/** What each channel publishes, by its name without `clutch:`. */
export interface TracePayloads {
  boot: BootTrace;
  hook: HookTrace;
  request: RequestTrace;
  middleware: MiddlewareTrace;
  controller: ControllerTrace;
  service: ServiceTrace;
  view: ViewTrace;
  httpclient: HttpClientTrace;
  message: MessageTrace;
  schedule: ScheduleTrace;
  job: JobTrace;
  reload: ReloadTrace;
  death: DeathTrace;
}

export type TraceName = keyof TracePayloads;
