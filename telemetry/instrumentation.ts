import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { observe } from '../tracing/channels.js';
import { traceHttpClient, traceInside } from './inner_spans.js';
import { traceLogs } from './log_records.js';
import { traceMessages } from './message_spans.js';
import { type CompleteOptions, completeOptions, type TelemetryOptions } from './options.js';
import { type LoggerProvider, Providers, SCOPE } from './providers.js';
import { traceRequests } from './request_spans.js';
import { guard } from './spans.js';
import { traceWork } from './work_spans.js';

/** Milliseconds that a process which closes waits for what its SDK has to send: a collector may be gone. */
const FLUSH_LIMIT = 2000;

/**
 * Makes traces, metrics and log records of what Clutch publishes. It is an `Instrumentation` as the SDK takes it:
 * `new NodeSDK({ instrumentations: [new ClutchInstrumentation()] })`. Without an SDK it costs what the channels cost.
 */
export class ClutchInstrumentation {
  readonly instrumentationName = SCOPE;
  readonly instrumentationVersion = '';
  readonly #providers = new Providers();
  #options: CompleteOptions;
  #stops: (() => void)[] = [];

  /** @param options what to make spans of, and what not */
  constructor(options: TelemetryOptions = {}) {
    this.#options = completeOptions(options);
    if (this.#options.enabled) this.enable();
  }

  /** Subscribes; a second call has no effect. */
  enable(): void {
    if (this.#stops.length > 0) return;
    const options = this.#options;
    const providers = this.#providers;
    this.#stops = [
      traceRequests(providers, options),
      ...traceInside(providers, options),
      ...(options.httpclient ? [traceHttpClient(providers)] : []),
      traceMessages(providers, options),
      ...traceWork(providers, options),
      traceLogs(providers, options),
      observe('boot', { start: ({ app }) => guard(() => app.beforeClose(() => this.#flush()), undefined) }),
    ];
  }

  /** What waits in the SDK is sent before the process ends. */
  async #flush(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_LIMIT);
    });
    await Promise.race([this.#providers.flush(), late]);
    clearTimeout(timer);
  }

  disable(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#providers.tracerProvider = provider;
    this.#providers.reset();
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#providers.meterProvider = provider;
    this.#providers.reset();
  }

  setLoggerProvider(provider: LoggerProvider): void {
    this.#providers.loggerProvider = provider;
    this.#providers.reset();
  }

  getConfig(): TelemetryOptions {
    return this.#options;
  }

  /** Takes effect at once. */
  setConfig(options: TelemetryOptions): void {
    const isOn = this.#stops.length > 0;
    this.disable();
    this.#options = completeOptions(options);
    if (isOn) this.enable();
  }
}
