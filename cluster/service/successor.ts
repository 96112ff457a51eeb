import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ClutchError } from '../../errors.js';
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

  constructor({ execPath, inheritance, env }: SuccessorOptions) {
    const sockets = inheritance.sockets.map((socket, index) => ({ ...socket, fd: index + 3 }));
    this.#child = spawn(execPath, [...process.execArgv, ...process.argv.slice(1)], {
      env: { ...process.env, ...env, [UPGRADE]: JSON.stringify({ ...inheritance, sockets }) },
      stdio: ['inherit', 'inherit', 'inherit', ...inheritance.sockets.map(({ fd }) => fd), 'ipc'],
    });
    this.#exited = new Promise((_, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) =>
        reject(
          new ClutchError('ERR_CLUTCH_BOOT', `the new Master ended (${signal ?? `exit code ${code}`})`, {
            fix: 'The old one serves on. What the new one has printed says why.',
          }),
        ),
      );
    });
    this.#exited.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Resolves when it is ready to take over; rejects when it has ended instead. */
  ready(): Promise<void> {
    return this.#receive('ready');
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
