import type { Message } from '../../ipc/message.js';
import type { ClusterOptions } from '../options/options.js';
import { displayAddress } from '../protocol/address.js';
import type { ListenAddress } from '../protocol/protocol.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { Relay } from './relay.js';

/** What the Master tells the others of its own accord, with the names and contents that Egg has for it. */
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

  /** Only the process that has joined gets it: to the others nothing has become ready. */
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

  /** Tells a worker where the Agent is. */
  agentIdTo(worker: number): void {
    const data = [this.#agents.current?.id];
    this.#relay.send({ action: 'egg-pids', data, receiverPid: String(worker), from: 'master' });
  }

  workerGone(): void {
    this.#relay.send({ action: 'app-worker-died', to: 'parent', from: 'master' });
  }

  /** Tells the Agent which workers there are. */
  workerIds(): void {
    if (!this.#agents.current) return;
    const data = this.#workers.ready.map(({ id }) => id);
    this.#relay.send({ action: 'egg-pids', data, to: 'agent', from: 'master' });
  }
}
