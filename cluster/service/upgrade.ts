import { ClutchError, toError } from '../../errors.js';
import type { UpgradeRequest } from '../control/control_server.js';
import type { MasterState } from '../control/status.js';
import type { ListeningSocket } from '../listen/inherited_sockets.js';
import type { Ending } from '../supervise/managed_child.js';
import type { StateMachine } from '../supervise/state_machine.js';
import { INIT, type Predecessor } from './predecessor.js';
import type { ServiceManager } from './service_manager.js';
import type { Successor } from './successor.js';

interface UpgradeParts {
  log: Pick<Console, 'info' | 'error'>;
  machine: StateMachine<MasterState>;
  /** The Master that this one replaces. */
  predecessor: Predecessor | undefined;
  /** `port` is known once the processes boot. */
  options: { readonly port: number | undefined };
  /** What the next Master goes on serving; undefined where sockets cannot be passed on. */
  sockets(): ListeningSocket[] | undefined;
  serviceManager: ServiceManager;
  management: { open(): Promise<void>; close(): void };
  /** Called when this Master is the one of its app. */
  onServing(): void;
  /** Called when another Master serves: this one is to drain and exit. */
  onReplaced(ending: Ending): void;
}

/** One Master replaced by another, seen from either: it is started by the one and takes over from it. */
export class Upgrade {
  readonly #parts: UpgradeParts;
  #successor: Successor | undefined;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** Whether this Master was started to replace another one. */
  get isSuccessor(): boolean {
    return this.#parts.predecessor !== undefined;
  }

  /** Commands, pid file and probes go over to this Master, which is then the one of its app. */
  async takeOver(): Promise<void> {
    const { predecessor, machine, management, onServing } = this.#parts;
    if (!predecessor) return;
    await predecessor.takeOver();
    if (machine.state !== 'starting') return;
    onServing();
    await management.open();
    predecessor.serving();
  }

  /**
   * Has a new Master take the place of this one.
   *
   * @returns its pid, once it serves
   * @throws {ClutchError} ERR_CLUTCH_BOOT, ERR_CLUTCH_TIMEOUT, ERR_CLUTCH_CANCELLED when it does not become ready; this Master
   * serves on
   */
  async start({ execPath, asker, ...limits }: UpgradeRequest): Promise<number> {
    const { log, machine, options, serviceManager, management } = this.#parts;
    const inheritance = { sockets: this.#socketsToPass(), port: options.port };
    log.info('a new Master is started to replace this one');
    const { Successor: StartedMaster } = await import('./successor.js');
    this.#socketsToPass();
    const successor = new StartedMaster({ execPath, inheritance, env: serviceManager.environment });
    this.#successor = successor;
    let isReleased = false;
    try {
      await successor.ready(limits);
      isReleased = true;
      management.close();
      await successor.takeOver();
    } catch (error) {
      this.#successor = undefined;
      await successor.stop();
      log.error(`upgrade failed, this Master stays: ${toError(error).message}`);
      if (isReleased && machine.state === 'ready') await management.open();
      throw error;
    }
    log.info(`replaced by the Master ${successor.pid}, draining`);
    this.#successor = undefined;
    const ending: Ending = { reason: 'upgrade', text: `the Master ${successor.pid} has taken over`, asker };
    // The reply is sent first.
    setImmediate(() => this.#parts.onReplaced(ending));
    return successor.pid;
  }

  /** @throws {ClutchError} ERR_CLUTCH_CONTROL when another Master cannot replace this one now */
  #socketsToPass(): ListeningSocket[] {
    const refuse = (what: string, fix: string): never => {
      throw new ClutchError('ERR_CLUTCH_CONTROL', `no upgrade: ${what}`, { fix });
    };
    const { state } = this.#parts.machine;
    if (state !== 'ready' || this.#successor) {
      refuse(`the app is ${this.#successor ? 'being upgraded' : state}`, 'Try again later.');
    }
    const sockets = this.#parts.sockets();
    if (!sockets)
      return refuse('threads cannot pass their sockets on', "Restart the app, or use startMode: 'process'.");
    if (process.pid === 1 || process.env[INIT] !== undefined) {
      refuse('the Master is the main process of a container', 'Replace the container.');
    }
    return sockets;
  }

  /** Has the Master that this one was to replace say why it stays. */
  failed(reason: string): void {
    void this.#parts.predecessor?.failed(reason);
  }

  /** Ends a new Master that has not taken over yet; resolves when it is gone. */
  async cancel(): Promise<void> {
    await this.#successor?.stop();
  }
}
