import { type Attributes, type Context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { observe } from '../tracing/channels.js';
import type { TracedApp } from '../tracing/payloads.js';
import type { CompleteOptions } from './options.js';
import type { Providers } from './providers.js';
import { errorType, guard, traceSpans } from './spans.js';

/** Spans of what no request asks for: schedules, jobs, boots, reloads, and the deaths of processes. */
export function traceWork(providers: Providers, { boot }: CompleteOptions): (() => void)[] {
  return [
    traceSchedules(providers),
    traceJobs(providers),
    traceReloads(providers),
    countDeaths(providers),
    ...(boot ? traceBoot(providers) : []),
  ];
}

function traceSchedules({ tracer, instruments }: Providers): () => void {
  const ended = stopwatch((seconds, attributes) => instruments().scheduleDuration.record(seconds, attributes));
  return traceSpans('schedule', tracer, {
    begin(run) {
      const { phase, name, key, id } = run;
      const attributes = { 'clutch.schedule.name': name, 'clutch.schedule.key': key, 'clutch.schedule.id': id };
      const kind = phase === 'dispatch' ? SpanKind.PRODUCER : SpanKind.CONSUMER;
      if (phase === 'run') ended.start(run);
      return { name: `schedule ${phase} ${name}`, options: { kind, attributes } };
    },
    end(run) {
      if (run.phase === 'run') ended.end(run, { 'clutch.schedule.name': run.name });
    },
  });
}

function traceJobs({ tracer, instruments }: Providers): () => void {
  const ended = stopwatch((seconds, attributes) => instruments().jobDuration.record(seconds, attributes));
  return traceSpans('job', tracer, {
    begin(job, active) {
      const { phase, queue, id, attempt, carrier } = job;
      const operation = phase === 'add' ? 'send' : 'process';
      const attributes = {
        'messaging.system': 'clutch',
        'messaging.operation.name': operation,
        'messaging.operation.type': operation,
        'messaging.destination.name': queue,
        'messaging.message.id': id,
        ...(phase === 'run' && { 'clutch.job.attempt': attempt }),
      };
      const kind = phase === 'add' ? SpanKind.PRODUCER : SpanKind.CONSUMER;
      if (phase === 'run') ended.start(job);
      const parent = phase === 'run' ? propagation.extract(active, carrier) : active;
      return { name: `${operation} ${queue}`, options: { kind, attributes }, parent };
    },
    begun({ phase, carrier }, inside) {
      if (phase === 'add') propagation.inject(inside, carrier);
      return inside;
    },
    end(job, span) {
      span.setAttribute('messaging.message.id', job.id);
      if (job.phase === 'run') ended.end(job, { 'messaging.destination.name': job.queue });
    },
  });
}

function traceReloads({ tracer, instruments }: Providers): () => void {
  return traceSpans('reload', tracer, {
    begin: ({ agent, asker }) => ({
      name: 'reload',
      options: { attributes: { 'clutch.reload.agent': agent, ...(asker && { 'clutch.reload.asker': asker }) } },
    }),
    end: ({ error }) => instruments().reloads.add(1, { outcome: error === undefined ? 'done' : 'failed' }),
  });
}

function countDeaths({ instruments, logger }: Providers): () => void {
  return observe('death', {
    start: ({ record }) =>
      guard(() => {
        const { kind, reason, by, pid, text, at } = record;
        const attributes = { 'clutch.process.kind': kind, 'clutch.death.reason': reason, 'clutch.death.by': by };
        instruments().deaths.add(1, attributes);
        logger()?.emit({
          eventName: 'clutch.process.death',
          timestamp: new Date(at),
          severityNumber: by === 'request' || by === 'sizing' ? 9 : 13,
          severityText: by === 'request' || by === 'sizing' ? 'INFO' : 'WARN',
          body: `${kind} ${pid} has ended: ${text}`,
          attributes: { ...attributes, 'clutch.process.pid': pid },
        });
      }, undefined),
  });
}

/** A hook may run after the function that has begun the boot: it finds the boot by its app. */
function traceBoot({ tracer }: Providers): (() => void)[] {
  const boots = new WeakMap<TracedApp, Context>();
  return [
    traceSpans('boot', tracer, {
      begin: ({ type, name }) => ({ name: `boot ${type}`, options: { attributes: { 'clutch.app': name } } }),
      begun({ app }, inside) {
        boots.set(app, inside);
        return inside;
      },
      end: ({ app }) => void boots.delete(app),
    }),
    traceSpans('hook', tracer, {
      begin({ app, hook, file }, active) {
        const parent = boots.get(app) ?? active;
        if (!trace.getSpan(parent)) return undefined;
        return { name: hook, options: { attributes: { 'code.function.name': hook, 'code.file.path': file } }, parent };
      },
    }),
  ];
}

/** Measures operations. @param record gets seconds, and the attributes with what has failed */
function stopwatch(record: (seconds: number, attributes: Attributes) => void) {
  const starts = new WeakMap<object, number>();
  return {
    start: (payload: object) => void starts.set(payload, performance.now()),
    end(payload: { error?: unknown }, attributes: Attributes) {
      const failed = payload.error === undefined ? {} : { 'error.type': errorType(payload.error) };
      record((performance.now() - (starts.get(payload) ?? 0)) / 1000, { ...attributes, ...failed });
    },
  };
}
