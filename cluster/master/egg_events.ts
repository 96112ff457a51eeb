import type { Message } from '../../ipc/message.js';
import type { ClusterOptions } from '../options/options.js';
import type { ListenAddress } from '../protocol/listen_address.js';
import { displayAddress } from '../protocol/listen_address.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { Relay } from './relay.js';

/** The messages that the Master itself sends, with the names and contents that Egg has for them. */
export class EggEvents {
  readonly #relay: Relay;
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #options: ClusterOptions;

  constructor(relay: Relay, agents: Supervisor, workers: Supervisor, options: ClusterOptions) {
    this.#relay = relay;
    this.#agents = agents;
    this.#workers = workers;
    this.#options = options;
  }

  /** Every process is ready. */
  clusterReady(listening: ListenAddress): void {
    const { address: host, port, protocol } = listening;
    const address = displayAddress(listening);
    const data = { port, address, protocol, host, debugPort: this.#options.debugPort };
    this.#relay.send({ action: 'egg-ready', data, to: 'parent', from: 'master' });
    this.#ready({ to: 'app' });
    this.#ready({ to: 'agent' });
  }

  /** A replacement is ready. Only that process gets `egg-ready`: the others have had it. */
  joined(id: number): void {
    this.#ready({ receiverPid: String(id) });
  }

  #ready(target: Pick<Message, 'to' | 'receiverPid'>): void {
    const { https: _, ...options } = this.#options;
    this.#relay.send({ action: 'egg-ready', data: options, from: 'master', ...target });
  }

  agentBack(id: number): void {
    this.#relay.send({ action: 'egg-pids', data: [id], to: 'app', from: 'master' });
    this.#relay.send({ action: 'agent-start', to: 'app', from: 'master' });
    this.joined(id);
    this.workerIds();
  }

  agentGone(): void {
    this.#relay.send({ action: 'egg-pids', data: [], to: 'app', from: 'master' });
    this.#relay.send({ action: 'agent-worker-died', to: 'parent', from: 'master' });
  }

  /** Sends the Agent's id to a worker. */
  agentIdTo(worker: number): void {
    const data = [this.#agents.current?.id];
    this.#relay.send({ action: 'egg-pids', data, receiverPid: String(worker), from: 'master' });
  }

  workerGone(): void {
    this.#relay.send({ action: 'app-worker-died', to: 'parent', from: 'master' });
  }

  /** Sends the ids of all ready workers to the Agent. */
  workerIds(): void {
    if (!this.#agents.current) return;
    const data = this.#workers.ready.map(({ id }) => id);
    this.#relay.send({ action: 'egg-pids', data, to: 'agent', from: 'master' });
  }
}
