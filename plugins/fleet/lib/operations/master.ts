import { ClutchError } from '../../../../errors.js';
import { askControlSocket } from '../../../../ipc/control_socket.js';

/** Of the Master's status, what is of interest here. */
interface MasterStatus {
  state: string;
  workers: number;
  served: { requests: number; errors: number };
  lastReload?: { at: string; asker?: string; outcome: 'running' | 'done' | 'failed'; reason?: string };
  processes: { kind: string; state: string; pid: number }[];
}

/** How a machine does, as its Master says. */
export interface MachineState extends Pick<MasterStatus, 'state' | 'served' | 'lastReload'> {
  /** App workers that take requests, and that are wanted. */
  ready: number;
  wanted: number;
  pids: { agent: number[]; workers: number[] };
}

/** The Master of this machine, as its Agent sees it. */
export class OwnMaster {
  readonly #baseDir: string;

  constructor(baseDir: string) {
    this.#baseDir = baseDir;
  }

  /** @throws {ClutchError} ERR_CLUTCH_NOT_RUNNING in a process without a Master */
  async state(): Promise<MachineState> {
    const { state, workers, served, lastReload, processes } = (await this.#ask('status')) as MasterStatus;
    const ready = processes.filter(({ state: each }) => each === 'ready');
    const pidsOf = (kind: string): number[] => ready.filter((one) => one.kind === kind).map(({ pid }) => pid);
    const pids = { agent: pidsOf('agent'), workers: pidsOf('app worker') };
    return { state, served, ready: pids.workers.length, wanted: workers, pids, ...(lastReload && { lastReload }) };
  }

  /**
   * Begins a rolling reload; `state().lastReload` says how it goes. This Agent is replaced by it, and does not see its end.
   *
   * @param asker for the log and the records of deaths
   * @throws {ClutchError} ERR_CLUTCH_NOT_RUNNING
   */
  async reload(asker: string): Promise<void> {
    // Throws when the Master cannot be asked. The reply to what follows may come when this Agent has gone.
    await this.state();
    this.#ask('reload', asker).catch(() => undefined);
  }

  async #ask(command: 'status' | 'reload', user = 'the fleet'): Promise<unknown> {
    const reply = await askControlSocket(this.#baseDir, { command, peer: { pid: process.pid, user } });
    if ('error' in reply) throw new ClutchError('ERR_CLUTCH_CONTROL', `${command} failed: ${reply.error}`);
    return reply.value;
  }
}
