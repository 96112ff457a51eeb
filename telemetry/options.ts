/** What ClutchInstrumentation makes spans and metrics of. */
export interface TelemetryOptions {
  /** False to begin with `enable()`, as `registerInstrumentations` does; default true. */
  enabled?: boolean;
  /** A span for each middleware; default false. */
  middleware?: boolean;
  /** A span for each controller; default true. */
  controller?: boolean;
  /** A span for each call of a service's method; default true. */
  service?: boolean;
  /** A span for each template; default true. */
  view?: boolean;
  /** Spans for requests of the http client, which carry `traceparent`; default true. */
  httpclient?: boolean;
  /** Spans for messages between processes; without them the context travels all the same. Default true. */
  message?: boolean;
  /** Spans for the boot of each process and its hooks; default true. */
  boot?: boolean;
  /** Log records for lines of loggers, beside the trace ids that the lines get; default true. */
  logs?: boolean;
  /** Paths that get no span, such as those of probes: a prefix, or a RegExp. */
  ignorePaths?: (string | RegExp)[];
}

export type CompleteOptions = Required<TelemetryOptions>;

export function completeOptions(given: TelemetryOptions): CompleteOptions {
  return {
    enabled: true,
    middleware: false,
    controller: true,
    service: true,
    view: true,
    httpclient: true,
    message: true,
    boot: true,
    logs: true,
    ignorePaths: [],
    ...given,
  };
}
