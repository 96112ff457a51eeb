import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL } from '../../ipc/message.js';
import type { MasterState } from '../control/status.js';
import type { DeathRegister } from '../deaths/death_register.js';
import type { Ending } from '../supervise/managed_child.js';
import type { StateMachine } from '../supervise/state_machine.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { ServiceManager } from './service_manager.js';

/** Milliseconds that killed processes get to exit. */
const FORCE_LIMIT = 1000;

interface ShutdownParts {
  log: Pick<Console, 'info' | 'error'>;
  machine: StateMachine<MasterState>;
  agents: Supervisor;
  workers: Supervisor;
  /** Milliseconds between not being ready and the drain. */
  preStopDelay(): number;
  serviceManager: ServiceManager;
  deaths: DeathRegister;
  sockets: { release(): Promise<unknown>; close(): void };
  upgrade: { cancel(): Promise<void> };
  /** Closes what the Master needs until its last child is gone. */
  closeRest(): void;
}

interface CloseOptions {
  /** Another Master serves: nothing is announced, and the sockets stay open there. */
  isReplaced?: boolean;
}

/** Ends the cluster: once, in order, and by force when that fails. */
export class Shutdown {
  readonly #parts: ShutdownParts;
  #closing: Promise<void> | undefined;

  constructor(parts: ShutdownParts) {
    this.#parts = parts;
  }

  /** Closes and exits, even if closing fails. */
  end(code: number, ending: Ending, how?: CloseOptions): void {
    this.close(code, ending, how).then(
      () => process.exit(code),
      (error: Error) => this.force(`closing failed: ${error.stack}`),
    );
  }

  /** Kills all processes and exits. */
  force(reason: string): void {
    const { log, agents, workers } = this.#parts;
    log.error(`${reason}: killing all processes`);
    const children = [...workers.all, ...agents.all].map(({ handle }) => handle);
    // Whoever waits for the Master to exit must not find a child that is still there.
    const gone = Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    for (const child of children) child.kill();
    setTimeout(() => process.exit(1), FORCE_LIMIT);
    void gone.then(() => process.exit(1));
  }

  /** @param code what the Master will exit with, for the records of deaths */
  close(code: number, ending: Ending, how: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(code, ending, how);
    return this.#closing;
  }

  async #close(code: number, ending: Ending, { isReplaced = false }: CloseOptions): Promise<void> {
    const { log, machine, agents, workers, serviceManager, deaths, sockets, upgrade, closeRest } = this.#parts;
    const isServing = machine.state === 'ready';
    machine.become('closing');
    if (isReplaced) {
      serviceManager.close();
      await sockets.release();
    }
    const notified = isReplaced ? undefined : serviceManager.stopping();
    const cancelled = upgrade.cancel();
    if (isServing && !isReplaced) await this.#waitBeforeStop();
    await cancelled;
    sockets.close();
    agents.stopReplacing();
    await workers.close(ending);
    await agents.close(ending);
    closeRest();
    await notified;
    serviceManager.close();
    deaths.endMaster(ending, code);
    machine.become('closed');
    log.info('closed');
  }

  /** Load balancers notice that the service is not ready while it still serves. */
  async #waitBeforeStop(): Promise<void> {
    const { log, workers } = this.#parts;
    const preStopDelay = this.#parts.preStopDelay();
    if (preStopDelay === 0) return;
    log.info(`not ready any more, draining in ${preStopDelay} ms`);
    for (const { handle } of workers.ready) handle.send({ clutch: CONTROL.stopping });
    await sleep(preStopDelay);
  }
}
