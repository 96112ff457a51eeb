import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ClutchError } from '../../../errors.js';
import type { Agent } from '../../../framework/index.js';
import type { Bucket, BucketOptions, FleetAdapter } from './adapter/adapter.js';
import { type FleetConfig, machineId } from './config.js';
import { Candidate, type LeadHandlers } from './lease/candidate.js';
import { leaseTimes } from './lease/lease_machine.js';
import { SafeClock } from './lease/safe_clock.js';
import { type Member, Membership } from './members.js';
import { FleetMessenger } from './messenger/fleet_messenger.js';
import { Hub } from './messenger/hub.js';
import { type FleetRequest, LOCAL, type Outgoing, type Side } from './messenger/wire.js';
import { type FleetCommand, FleetOperations } from './operations/operations.js';
import { Recovery } from './schedule/recovery.js';
import { fleetClient } from './shared/worker_client.js';

/** Who leads this begins runs of schedules again whose machine is gone. */
const SCHEDULES = 'clutch:schedules';

/** Milliseconds between two log lines of errors that repeat, such as those of a server that is away. */
const LOG_INTERVAL = 10_000;

/** `agent.fleet`: this machine as a member of the fleet. The Agent alone is connected to the server. */
export class Fleet {
  readonly messenger: FleetMessenger;
  /** Schedules of type `fleet`. */
  readonly schedules: Recovery;
  readonly #agent: Agent;
  readonly #config: FleetConfig;
  readonly #adapter: FleetAdapter;
  readonly #hub: Hub;
  readonly #membership: Membership;
  /** Distinguishes this Agent from the one before it. */
  readonly incarnation: string = randomUUID();
  readonly #since = Date.now();
  readonly #machine: string;
  readonly #clock = new SafeClock();
  readonly #candidates = new Map<string, Candidate>();
  readonly #connectListeners = new Set<() => void>();
  #loggedAt = new Map<string, number>();
  #closed = false;
  #joined: Promise<void> | undefined;
  /** Times that the connection was lost. */
  disconnections = 0;

  constructor(agent: Agent, config: FleetConfig, adapter: FleetAdapter) {
    this.#agent = agent;
    this.#config = config;
    this.#machine = machineId(agent.baseDir);
    this.#adapter = adapter;
    this.#adapter.onChange = (connected, error) => this.#onChange(connected, error);
    const { lease, timeout } = this.#config;
    const onError = (error: Error): void => this.#log(error);
    this.#membership = new Membership(this.bucket({ name: 'members', ttl: lease }), {
      interval: lease / 3,
      describe: () => this.#describe(),
      onError,
    });
    this.#hub = new Hub(this.#adapter, {
      member: this.member,
      incarnation: this.incarnation,
      timeout,
      members: (side, now) => this.#memberNames(side, now),
      onActive: () => void this.#announce(),
      onReplaced: () => void this.#membership.stop(),
      onError,
      local: {
        toAgent: (messages) => this.messenger.receive(messages),
        toApps: (packet) => void agent.messenger.sendToApp(LOCAL.messages, packet),
        toOneApp: (message) => void agent.messenger.sendRandom(LOCAL.messages, { messages: [message] }),
        handle: (side, { action, data, carrier }) =>
          side === 'agent'
            ? this.messenger.handle({ action, data, carrier })
            : agent.messenger.request('app', LOCAL.handle, { action, data, carrier }, { timeout: 60_000 }),
      },
    });
    this.messenger = new FleetMessenger({
      side: 'agent',
      publish: (batch) => this.#hub.publish(batch),
      request: (request) => this.#hub.request(request),
      onError: (error) => agent.coreLogger.error(error),
    });
    this.schedules = new Recovery({ interval: lease / 4, isLeader: () => this.#leadsSchedules(), onError });
    agent.messenger.onRequest(LOCAL.publish, (batch: Outgoing[]) => this.#hub.publish(batch));
    // A new Agent learns of the app workers after `egg-ready`.
    agent.messenger.on('egg-pids', () => void this.#announce());
    // App workers reach it over a socket of its own, which is faster than the way through the Master.
    fleetClient(agent, adapter);
    const operations = new FleetOperations(agent, this);
    agent.messenger.onRequest(LOCAL.command, (asked: FleetCommand) => operations.run(asked));
    agent.messenger.onRequest(LOCAL.request, (request: FleetRequest) => this.#hub.request(request));
  }

  /** Name of this machine: `config.fleet.member`, by default made of host and directory of the app. */
  get member(): string {
    return this.#config.member;
  }

  /** Whether the server can be reached at the moment. */
  get connected(): boolean {
    return this.#adapter.connected;
  }

  /** Packets of messages that other machines have published and that have not arrived here. */
  get missed(): number {
    return this.#hub.missed;
  }

  /** How long leases last, in milliseconds. */
  get lease(): number {
    return this.#config.lease;
  }

  /** Connects. The app starts without the server, too: after `timeout` milliseconds it goes on, and the log says so. */
  async start(): Promise<void> {
    const { timeout } = this.#config;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#agent.coreLogger.warn('[fleet] there is no connection after %s ms; the app goes on without', timeout);
        resolve();
      }, timeout);
      this.onConnect(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#adapter.connect();
    });
    await this.#joined;
  }

  /** Finds out whether another Agent of this machine is to be replaced, which has the entry in the list of machines until then. */
  async #join(): Promise<void> {
    const { takeover } = this.#hub;
    if (!takeover.isJoining) return this.#announce();
    takeover.join(await this.#membership.predecessor());
    await this.#membership.written;
  }

  /** Keeps the entry up to date, if it is this Agent's. */
  async #announce(): Promise<void> {
    if (this.connected && this.#hub.takeover.isActive) await this.#membership.update();
  }

  /** The cluster is ready. */
  async ready(): Promise<void> {
    this.messenger.ready();
    this.#membership.state = 'ready';
    this.#hub.takeover.ready();
    await this.#announce();
  }

  /** Calls `listener` with each connection, also with one that is there already. */
  onConnect(listener: () => void): void {
    this.#connectListeners.add(listener);
    if (this.connected) listener();
  }

  /** @returns the machines of the fleet, by name */
  members(): Promise<Member[]> {
    return this.#membership.list();
  }

  /**
   * Makes this machine a candidate for the leadership called `name`; one machine of the fleet has it at a time.
   *
   * @returns the candidacy: `token` and `isLeader` are right at any moment; `close()` resigns
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE if it is one already
   */
  lead(name: string, handlers: LeadHandlers): Candidate {
    if (this.#candidates.has(name)) {
      throw new ClutchError('ERR_CLUTCH_DUPLICATE', `this machine is a candidate for "${name}" already`, {
        fix: 'Call lead() once for each name.',
      });
    }
    const candidate = new Candidate(this.bucket({ name: 'leases', ttl: this.#config.lease }), {
      name,
      member: this.member,
      times: leaseTimes(this.#config.lease),
      clock: this.#clock,
      handlers,
      onError: (error) => this.#log(error),
    });
    this.#candidates.set(name, candidate);
    // Otherwise it begins with the connection.
    if (this.connected) candidate.start();
    return candidate;
  }

  /** @returns values that all machines share; the first machine that uses a name fixes its `ttl` */
  bucket(options: BucketOptions): Bucket {
    return this.#adapter.bucket(options);
  }

  /** A candidate from the first time on that it is asked: without schedules of the fleet nobody needs to lead. */
  #leadsSchedules(): boolean {
    const candidate = this.#candidates.get(SCHEDULES) ?? this.lead(SCHEDULES, {});
    return candidate.isLeader;
  }

  async #memberNames(side: Side, now?: 'now'): Promise<string[]> {
    const members = await this.#membership.recent(now);
    return members.filter(({ workers }) => side !== 'app' || workers.length > 0).map(({ id }) => id);
  }

  /** @internal What `clutch fleet status` prints. */
  async report() {
    const { connected } = this;
    const read = [this.members(), this.bucket({ name: 'leases', ttl: this.lease }).entries()] as const;
    // Without a connection each call rejects at once with the reason.
    const [members, leases, problem] = await Promise.all(read).catch((error: Error) => {
      if (connected) throw error;
      return [[], [], error.message] as const;
    });
    return {
      name: this.#config.name,
      member: this.member,
      lease: this.lease,
      connected,
      ...(problem !== undefined && { problem }),
      disconnections: this.disconnections,
      missed: this.missed,
      members,
      leaders: Object.fromEntries(
        leases.map(({ key, value }) => [key, (JSON.parse(value) as { member: string }).member]),
      ),
    };
  }

  #describe(): Omit<Member, 'state' | 'load'> {
    const { version = '' } = this.#agent.config['pkg'] as { version?: string };
    return {
      id: this.member,
      incarnation: this.incarnation,
      machine: this.#machine,
      version,
      host: hostname(),
      pid: process.pid,
      workers: this.#agent.messenger.opids,
      since: this.#since,
    };
  }

  #onChange(connected: boolean, error: Error | undefined): void {
    if (this.#closed) return;
    if (error) this.#log(error);
    else if (connected) {
      this.#agent.coreLogger.info('[fleet] %s is connected', this.member);
      this.#hub.connected();
      this.#joined = this.#join();
      for (const candidate of this.#candidates.values()) candidate.hurry();
      for (const listener of this.#connectListeners) listener();
    } else {
      this.disconnections += 1;
      this.#agent.coreLogger.warn('[fleet] %s has lost its connection', this.member);
    }
  }

  #log(error: Error): void {
    if (this.#closed) return;
    const now = performance.now();
    if (now - (this.#loggedAt.get(error.message) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL) return;
    if (this.#loggedAt.size > 100) this.#loggedAt.clear();
    this.#loggedAt.set(error.message, now);
    this.#agent.coreLogger.warn('[fleet] %s', error.message);
  }

  /** Leaves the fleet: others can lead at once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const candidates = [...this.#candidates.values()];
    await Promise.allSettled([this.#hub.leave(), ...candidates.map((candidate) => candidate.close())]);
    const membership = this.#hub.takeover.hasSuccessor ? this.#membership.stop() : this.#membership.close();
    await Promise.allSettled([this.messenger.flush(), membership]);
    this.#hub.close();
    await this.#adapter.close();
  }
}
