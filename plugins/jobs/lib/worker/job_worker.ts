import { toError } from '../../../../errors.js';
import { type Application, type Logger, withinTime } from '../../../../framework/index.js';
import { maskText } from '../../../../output/secrets.js';
import { channels, trace } from '../../../../tracing/channels.js';
import { ACTION, type Acceptance, type Outcome, type Progress, type WorkerState } from '../agent/wire.js';
import type { JobDefinition } from '../definition/job_definition.js';
import type { Attempt, TakenJob } from '../engine/attempt.js';
import type { FinishedError } from '../engine/record.js';
import { runJob } from './run_job.js';

/** Milliseconds between two attempts to report to the Agent, which may be restarting. */
const REPORT_INTERVAL = 1000;
/** Attempts to report while the process closes. */
const LAST_REPORTS = 3;
/** Milliseconds that jobs may take to end when the one process closes. */
const SINGLE_LIMIT = 5000;
/** Bytes of a result that is kept, and characters of an error. */
const MAX_RESULT = 64 * 1024;
const MAX_MESSAGE = 2000;
const MAX_STACK = 8000;

interface Running {
  attempt: Attempt;
  abort: AbortController;
  ended: Promise<void>;
}

/** Runs jobs in an app worker when the Agent asks for it. */
export class JobWorker {
  readonly #app: Application;
  readonly #definitions: Map<string, JobDefinition>;
  readonly #logger: Logger;
  /** By token. */
  readonly #running = new Map<string, Running>();
  #closing = false;

  constructor(app: Application, definitions: Map<string, JobDefinition>) {
    this.#app = app;
    this.#definitions = definitions;
    this.#logger = app.getLogger('jobLogger') ?? app.coreLogger;
    const { messenger } = app;
    messenger.onRequest(ACTION.run, (job: TakenJob) => this.#accept(job));
    messenger.onRequest(ACTION.state, () => this.#state());
    messenger.on(ACTION.lost, ({ token }: Attempt) => {
      this.#running.get(token)?.abort.abort(new Error('the lease of the job is lost: another process may run it'));
    });
  }

  #state(): WorkerState {
    return { running: [...this.#running.values()].map(({ attempt }) => attempt), closing: this.#closing };
  }

  #accept(job: TakenJob): Acceptance {
    const { data: _, ...attempt } = job;
    // Asked twice: the first request was slow.
    if (this.#running.has(job.token)) return { accepted: true };
    if (this.#closing) return { accepted: false, reason: 'closing' };
    const definition = this.#definitions.get(job.queue);
    if (!definition) return { accepted: false, reason: 'unknown' };
    const abort = new AbortController();
    this.#running.set(job.token, { attempt, abort, ended: this.#run(definition, job, attempt, abort) });
    return { accepted: true };
  }

  async #run(definition: JobDefinition, job: TakenJob, attempt: Attempt, abort: AbortController): Promise<void> {
    const { id, queue: name } = job;
    this.#logger.info('[job#%s] %s started, attempt %s of %s', id, name, job.attempt, job.attempts);
    const begin = Date.now();
    let outcome: Outcome;
    try {
      const run = (): Promise<unknown> =>
        runJob(this.#app, definition, job, abort, (value) => this.#progress(attempt, value));
      const { carrier = {} } = job;
      const payload = { phase: 'run', queue: name, id, attempt: job.attempt, carrier } as const;
      const result = await (channels.job.hasSubscribers ? trace('job', payload, run) : run());
      outcome = { attempt, is: 'completed', result: this.#resultText(job, result) };
      this.#logger.info('[job#%s] %s succeeded in %sms', id, name, Date.now() - begin);
    } catch (thrown) {
      const error = toError(thrown);
      outcome = { attempt, is: 'failed', error: finished(error), final: isFinal(error) };
      error.message = `[job#${id}] ${name} failed after ${Date.now() - begin}ms, attempt ${job.attempt} of ${job.attempts}: ${error.message}`;
      this.#logger.error(error);
    }
    await this.#report(outcome);
    this.#running.delete(attempt.token);
  }

  #resultText({ id, queue }: TakenJob, result: unknown): string | undefined {
    if (result === undefined) return undefined;
    try {
      const text = JSON.stringify(result) as string | undefined;
      if (text === undefined || Buffer.byteLength(text) <= MAX_RESULT) return text;
      this.#logger.warn('[job#%s] %s: its result is larger than %s KiB and is not kept', id, queue, MAX_RESULT / 1024);
    } catch (error) {
      this.#logger.warn('[job#%s] %s: its result is no JSON and is not kept: %s', id, queue, toError(error).message);
    }
    return undefined;
  }

  async #progress(ref: Attempt, value: number): Promise<void> {
    try {
      await this.#app.messenger.request('agent', ACTION.progress, { ref, value } satisfies Progress);
    } catch (error) {
      this.#logger.warn('[job#%s] %s: its progress is not kept: %s', ref.id, ref.queue, toError(error).message);
    }
  }

  /** Until the Agent has it: otherwise the job would run again. */
  async #report(outcome: Outcome): Promise<void> {
    const { id, queue } = outcome.attempt;
    let lastReports = 0;
    for (;;) {
      try {
        await this.#app.messenger.request('agent', ACTION.done, outcome);
        return;
      } catch (error) {
        if (this.#closing) lastReports += 1;
        if (lastReports >= LAST_REPORTS) {
          this.#logger.warn(
            '[job#%s] %s runs again: its end cannot be reported: %s',
            id,
            queue,
            toError(error).message,
          );
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, REPORT_INTERVAL));
      }
    }
  }

  /** Takes no more jobs, and waits for those that have begun. */
  async close(): Promise<void> {
    this.#closing = true;
    const ended = Promise.all([...this.#running.values()].map((running) => running.ended));
    // In a cluster the Master limits the time to close, and the Agent gives back what is lost.
    if (this.#app.options.mode !== 'single') {
      await ended;
      return;
    }
    try {
      await withinTime('jobs', SINGLE_LIMIT, ended);
    } catch (error) {
      this.#logger.warn((error as Error).message);
      const left = [...this.#running.values()];
      await Promise.all(left.map(({ attempt }) => this.#report({ attempt, is: 'unfinished' })));
    }
  }
}

function finished({ name, message, stack }: Error): FinishedError {
  const kept = { name, message: maskText(message).slice(0, MAX_MESSAGE) };
  return stack === undefined ? kept : { ...kept, stack: maskText(stack).slice(0, MAX_STACK) };
}

/** A handler says by `retry: false` that another attempt would fail as well. */
function isFinal(error: Error & { retry?: unknown }): boolean {
  return error.retry === false;
}
