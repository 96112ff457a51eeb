import {
  type Counter,
  type Histogram,
  type MeterProvider,
  metrics,
  type Tracer,
  type TracerProvider,
  trace,
  type UpDownCounter,
} from '@opentelemetry/api';

export const SCOPE = 'koa-clutch';

/** As far as log records need it: `@opentelemetry/api` has it since 1.10, `@opentelemetry/api-logs` before. */
export interface LoggerProvider {
  getLogger(name: string): { emit(record: object): void };
}

export interface Instruments {
  activeRequests: UpDownCounter;
  requestDuration: Histogram;
  clientDuration: Histogram;
  scheduleDuration: Histogram;
  jobDuration: Histogram;
  reloads: Counter;
  deaths: Counter;
}

/** Where spans, metrics and log records go; the SDK of the app gives its own. */
export class Providers {
  #tracer: Tracer | undefined;
  #instruments: Instruments | undefined;
  #logger: { emit(record: object): void } | undefined;
  tracerProvider: TracerProvider | undefined;
  meterProvider: MeterProvider | undefined;
  loggerProvider: LoggerProvider | undefined;

  readonly tracer = (): Tracer => (this.#tracer ??= (this.tracerProvider ?? trace).getTracer(SCOPE));

  readonly instruments = (): Instruments => (this.#instruments ??= createInstruments(this.meterProvider ?? metrics));

  readonly logger = (): { emit(record: object): void } | undefined =>
    (this.#logger ??= (this.loggerProvider ?? globalLoggerProvider())?.getLogger(SCOPE));

  /** One of them has been replaced. */
  reset(): void {
    this.#tracer = this.#instruments = this.#logger = undefined;
  }

  /** Sends what is waiting. It never rejects: whoever waits for it is about to close. */
  async flush(): Promise<void> {
    const all = [this.tracerProvider ?? trace.getTracerProvider(), this.meterProvider ?? metrics.getMeterProvider()];
    const flushed = [...all, this.loggerProvider ?? globalLoggerProvider()].map(async (provider) => {
      const given = provider as { getDelegate?(): object; _getDelegate?(): object } | undefined;
      const real = (given?.getDelegate?.() ?? given?._getDelegate?.() ?? given) as { forceFlush?(): Promise<void> };
      await real?.forceFlush?.();
    });
    await Promise.allSettled(flushed);
  }
}

/** Where `@opentelemetry/api-logs` registers its provider: a function of the version of the API. */
const API_LOGS = Symbol.for('io.opentelemetry.js.api.logs');
const API = Symbol.for('opentelemetry.js.api.1');

function globalLoggerProvider(): LoggerProvider | undefined {
  const { [API_LOGS]: former, [API]: api } = globalThis as {
    [API_LOGS]?: (version: number) => LoggerProvider;
    [API]?: { logs?: LoggerProvider };
  };
  return api?.logs ?? former?.(1);
}

/** Seconds, as the conventions ask for. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

function createInstruments(provider: Pick<MeterProvider, 'getMeter'>): Instruments {
  const meter = provider.getMeter(SCOPE);
  const duration = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BOUNDARIES } });
  const count = (name: string, description: string, unit: string): Counter =>
    meter.createCounter(name, { description, unit });
  return {
    activeRequests: meter.createUpDownCounter('http.server.active_requests', {
      description: 'Requests that have no response yet.',
      unit: '{request}',
    }),
    requestDuration: duration('http.server.request.duration', 'From a request to the end of its response.'),
    clientDuration: duration('http.client.request.duration', 'Requests of app.curl, ctx.curl and fetch.'),
    scheduleDuration: duration('clutch.schedule.duration', 'Runs of schedules.'),
    jobDuration: duration('clutch.job.duration', 'Runs of jobs.'),
    reloads: count('clutch.reloads', 'Reloads by outcome.', '{reload}'),
    deaths: count('clutch.process.deaths', 'Processes that have ended, by reason.', '{process}'),
  };
}
