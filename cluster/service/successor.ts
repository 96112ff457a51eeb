import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ClutchError } from '../../errors.js';
import type { UpgradeRequest } from '../control/control_server.js';
import { type Inheritance, UPGRADE, type UpgradeMessage } from './predecessor.js';

interface SuccessorOptions {
  /** The Node that runs it. */
  execPath: string;
  inheritance: Inheritance;
  env: NodeJS.ProcessEnv;
}

/** A Master that is started to replace this one: it has the same command line and this one's listening sockets. */
export class Successor {
  readonly #child: ChildProcess;
  readonly #exited: Promise<never>;
  /** Why it does not become ready, as it has reported itself. */
  #reason: string | undefined;

  constructor({ execPath, inheritance, env }: SuccessorOptions) {
    const sockets = inheritance.sockets.map((socket, index) => ({ ...socket, fd: index + 3 }));
    this.#child = spawn(execPath, [...process.execArgv, ...process.argv.slice(1)], {
      env: { ...process.env, ...env, [UPGRADE]: JSON.stringify({ ...inheritance, sockets }) },
      stdio: ['inherit', 'inherit', 'inherit', ...inheritance.sockets.map(({ fd }) => fd), 'ipc'],
    });
    this.#child.on('message', (message: UpgradeMessage | undefined) => {
      if (message?.upgrade === 'failed') this.#reason = message.reason;
    });
    this.#exited = new Promise((_, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => {
        const end = (): void => reject(this.#ended(signal ?? `exit code ${code}`));
        // What it has sent last may come after its exit.
        if (this.#child.connected) this.#child.once('disconnect', end);
        else end();
      });
    });
    this.#exited.catch(() => undefined);
  }

  #ended(how: string): ClutchError {
    if (this.#reason === undefined) {
      return new ClutchError('ERR_CLUTCH_BOOT', `the new Master ended (${how})`, {
        fix: 'The old one serves on. What the new one has printed says why.',
      });
    }
    const [what = '', ...where] = this.#reason.split(/\n(?: {2})?/);
    return new ClutchError('ERR_CLUTCH_BOOT', `the new Master did not start: ${what}`, {
      where,
      fix: 'The old one serves on.',
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Resolves when it is ready to take over; rejects when it has ended instead, or is waited for no longer. */
  async ready({ timeout, signal }: Pick<UpgradeRequest, 'timeout' | 'signal'>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<never>((_, reject) => {
      const cancel = (): void =>
        reject(
          new ClutchError('ERR_CLUTCH_CANCELLED', 'the upgrade was cancelled', { fix: 'The old Master serves on.' }),
        );
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      if (timeout === undefined) return;
      timer = setTimeout(() => {
        const fix = 'The old one serves on. Give it more time, or see in the log what it waited for.';
        reject(new ClutchError('ERR_CLUTCH_TIMEOUT', `the new Master was not ready within ${timeout} ms`, { fix }));
      }, timeout);
    });
    try {
      await Promise.race([this.#receive('ready'), givenUp]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets it take over; resolves when it serves commands, too. */
  async takeOver(): Promise<void> {
    const serving = this.#receive('serving');
    const message: UpgradeMessage = { upgrade: 'take' };
    this.#child.send(message, () => undefined);
    await serving;
    this.#child.unref();
  }

  /** Ends it; resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  #receive(wanted: UpgradeMessage['upgrade']): Promise<void> {
    const received = new Promise<void>((resolve) => {
      const listener = (message: Partial<UpgradeMessage> | undefined): void => {
        if (message?.upgrade !== wanted) return;
        this.#child.off('message', listener);
        resolve();
      };
      this.#child.on('message', listener);
    });
    return Promise.race([received, this.#exited]);
  }
}
