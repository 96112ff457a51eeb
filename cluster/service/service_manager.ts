import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Milliseconds in which changes of the status become one notification: each is a process. */
const STATUS_PAUSE = 500;
/** Milliseconds that a notification may take. */
const LIMIT = 10_000;

type Log = { warn(message: string): void };

/**
 * Notifies systemd (`Type=notify`) of what the Master is doing. Node has no datagram sockets of the unix kind, so the
 * program `systemd-notify` sends; the unit therefore needs `NotifyAccess=all`. Without `$NOTIFY_SOCKET` nothing happens.
 */
export class ServiceManager {
  readonly #log: Log;
  readonly #env: NodeJS.ProcessEnv | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #status: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #isBroken = false;

  /** The variables are taken out of the environment: the children have nothing to say to systemd. */
  constructor(log: Log, env: NodeJS.ProcessEnv = process.env) {
    this.#log = log;
    if (!env['NOTIFY_SOCKET']) return;
    this.#env = { ...env };
    const { WATCHDOG_USEC, WATCHDOG_PID } = env;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
    const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
    if (isOurs && Number(WATCHDOG_USEC) > 0) this.#startWatchdog(Number(WATCHDOG_USEC) / 1000);
  }

  /** What a process needs that is to take the place of this one. */
  get environment(): NodeJS.ProcessEnv {
    const { NOTIFY_SOCKET, WATCHDOG_USEC } = this.#env ?? {};
    return { ...(NOTIFY_SOCKET && { NOTIFY_SOCKET }), ...(WATCHDOG_USEC && { WATCHDOG_USEC }) };
  }

  ready(): void {
    this.#notify('READY=1', `MAINPID=${process.pid}`);
  }

  reloading(): void {
    this.#notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  /** @returns when it has been sent */
  stopping(): Promise<void> {
    clearTimeout(this.#status);
    return this.#notify('STOPPING=1');
  }

  /** @param describe called when the text is sent, a moment later */
  status(describe: () => string): void {
    if (!this.#env || this.#status) return;
    this.#status = setTimeout(() => {
      this.#status = undefined;
      void this.#notify(`STATUS=${describe()}`);
    }, STATUS_PAUSE).unref();
  }

  close(): void {
    clearTimeout(this.#status);
    clearInterval(this.#watchdog);
  }

  /** A Master whose event loop is blocked sends none, and systemd restarts it. */
  #startWatchdog(limit: number): void {
    this.#watchdog = setInterval(() => void this.#notify('WATCHDOG=1'), Math.max(1, limit / 3)).unref();
  }

  /** One after the other, so that they arrive in their order. */
  #notify(...assignments: string[]): Promise<void> {
    const env = this.#env;
    if (!env) return Promise.resolve();
    const sent = this.#last.then(async () => {
      if (this.#isBroken) return;
      try {
        await run('systemd-notify', assignments, { env, timeout: LIMIT });
      } catch (error) {
        this.#isBroken = true;
        this.close();
        const { code, message } = error as NodeJS.ErrnoException;
        const what = code === 'ENOENT' ? 'the program systemd-notify is not installed' : message.trim();
        this.#log.warn(`systemd is not notified: ${what}. Use Type=simple, or install it and set NotifyAccess=all`);
      }
    });
    this.#last = sent;
    return sent;
  }
}
