import { debuglog } from 'node:util';
import { toError } from '../../errors.js';
import { CONTROL, isControl } from '../../ipc/message.js';
import type { LeaderInfo } from '../../ipc/socket_path.js';
import { ClusterReport } from '../control/cluster_report.js';
import { type ClusterStatus, MASTER_TRANSITIONS, type MasterState } from '../control/status.js';
import { DeathRegister } from '../deaths/death_register.js';
import type { InheritedSockets } from '../listen/inherited_sockets.js';
import { changeableValues } from '../options/changeable.js';
import type { ClusterOptions } from '../options/options.js';
import { workersNeeded, workersToStart } from '../options/ready_policy.js';
import { Profiles } from '../profile/profiles.js';
import type { ListenAddress } from '../protocol/listen_address.js';
import { parseEnvelope } from '../protocol/parse_envelope.js';
import { hasInspector } from '../protocol/protocol.js';
import { Certificates } from '../service/certificates.js';
import { Management } from '../service/management.js';
import { Operations } from '../service/operations.js';
import type { Predecessor } from '../service/predecessor.js';
import { ServiceManager } from '../service/service_manager.js';
import { Shutdown } from '../service/shutdown.js';
import { listenToSignals } from '../service/signals.js';
import { SuspectRoutes } from '../service/suspect_routes.js';
import { Upgrade } from '../service/upgrade.js';
import type { ManagedChild } from '../supervise/managed_child.js';
import { type ReloadOptions, RollingRestart } from '../supervise/rolling_restart.js';
import { StateMachine } from '../supervise/state_machine.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { Watchdog } from '../supervise/watchdog.js';
import { EggEvents } from './egg_events.js';
import type { ClusterHandle } from './handle.js';
import { createWatchdog, logDeath } from './incidents.js';
import { Listening } from './listening.js';
import { createMasterLog, masterLines } from './master_log.js';
import { MasterMessenger } from './master_messenger.js';
import { Relay } from './relay.js';
import type { SpawnedCluster } from './spawn_all.js';
import { type Receivers, receiveFromWorker, reloadForPlugin } from './worker_messages.js';

const debug = debuglog('clutch:cluster');

interface MasterParts extends SpawnedCluster {
  inherited: InheritedSockets;
  /** The Master that this one replaces. */
  predecessor: Predecessor | undefined;
  /** Called when this Master is the one of its app. */
  onServing(): void;
}

/** The first process: forks and supervises the others and relays their messages. It loads no code of the app. */
export class Master implements ClusterHandle {
  readonly #options: ClusterOptions;
  readonly #log = createMasterLog();
  readonly #begin: number;
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #relay: Relay;
  readonly #eggEvents: EggEvents;
  readonly #report: ClusterReport;
  readonly #watchdog: Watchdog;
  readonly #listening: Listening;
  /** What messages of app workers are for. */
  readonly #receivers: Receivers;
  readonly #operations: Operations;
  readonly #management: Management;
  readonly #upgrade: Upgrade;
  readonly #shutdown: Shutdown;
  readonly #frameworkName: string;
  readonly #isInspected: boolean;
  /** What Leader and Followers need to find and trust each other; `agent` follows the Agent in use. */
  readonly #leader: LeaderInfo;
  #messenger: MasterMessenger | undefined;
  readonly #machine = new StateMachine<MasterState>('Master', MASTER_TRANSITIONS, 'starting');
  readonly #serviceManager = new ServiceManager(this.#log);
  #onReady = (): void => undefined;
  /** Resolves when every process is ready. */
  readonly ready = new Promise<void>((resolve) => {
    this.#onReady = resolve;
  });

  constructor(
    given: ClusterOptions,
    frameworkName: string,
    { agents, workers, source, leader, ports, begin, inherited, predecessor, onServing }: MasterParts,
  ) {
    const options = { ...given };
    const log = this.#log;
    const machine = this.#machine;
    const shared = { log, machine, agents, workers, serviceManager: this.#serviceManager };
    this.#options = options;
    this.#frameworkName = frameworkName;
    this.#leader = leader;
    this.#begin = begin;
    this.#agents = agents;
    this.#workers = workers;
    ports.then(
      (chosen) => void Object.assign(options, chosen),
      (error: Error) => this.#failBoot(`no free port: ${error.message}`),
    );
    const listening = new Listening({ sticky: options.sticky, workers, source, inherited });
    this.#listening = listening;
    this.#relay = new Relay(agents, workers, log);
    this.#eggEvents = new EggEvents(this.#relay, agents, workers, options);
    const { baseDir, admin, sizing } = options;
    const values = changeableValues(options);
    const deaths = new DeathRegister({ agents, workers, baseDir, warn: (message) => log.warn(message) });
    const restarts = new RollingRestart(agents, workers, log);
    this.#report = new ClusterReport(agents, workers, () => ({
      state: machine.state,
      address: listening.address,
      baseDir,
      needed: workersNeeded(options.ready ?? { min: 1 }, workers.slots.length),
      deaths: deaths.counts,
      relay: this.#relay,
      restarts,
      waitingConnections: listening.waiting,
      options: values,
    }));
    // A process that is being debugged may stop at a breakpoint for any time.
    this.#isInspected = hasInspector(options.execArgv ?? process.execArgv);
    workers.bootOptions = () => ({ requestTimeout: values.requestTimeout });
    const watchdog = createWatchdog({
      ...shared,
      limits: values,
      isThread: options.startMode === 'worker_threads',
      isInspected: this.#isInspected,
      restarts,
      isReady: () => machine.state === 'ready',
      deaths,
      onReadyTick: () => this.#operations.tick(),
    });
    this.#watchdog = watchdog;
    const certificates = new Certificates(log, () => {
      for (const { handle } of workers.ready) handle.send({ clutch: CONTROL.reloadTls });
    });
    const suspects = new SuspectRoutes((message) => {
      for (const { handle } of workers.ready) handle.send(message);
    });
    workers.on('ready', ({ handle }) => {
      if (suspects.message) handle.send(suspects.message);
    });
    this.#receivers = {
      log,
      listening,
      watchdog,
      certificates,
      relay: this.#relay,
      suspects,
      slowRequests: this.#report.slowRequests,
    };
    const onScaled = (): void => this.#eggEvents.workerIds();
    this.#operations = new Operations({
      ...shared,
      sizing,
      restarts,
      values,
      isThread: options.startMode === 'worker_threads',
      isInspected: this.#isInspected,
      onScaled,
    });
    const management = new Management({
      cluster: this,
      operations: this.#operations,
      profiles: new Profiles({ agents, workers, baseDir, log }),
      upgrade: (wanted) => this.#upgrade.start(wanted),
      report: this.#report,
      masterLines,
      baseDir,
      admin,
      log,
      onError: (reason) => this.#failBoot(reason),
    });
    this.#management = management;
    this.#upgrade = new Upgrade({
      ...shared,
      predecessor,
      options,
      sockets: () => listening.sockets,
      management,
      onServing,
      onReplaced: (ending) => this.#shutdown.end(0, ending, { isReplaced: true }),
    });
    this.#shutdown = new Shutdown({
      ...shared,
      preStopDelay: () => values.preStopDelay,
      deaths,
      sockets: listening,
      upgrade: this.#upgrade,
      closeRest: () => {
        watchdog.stop();
        certificates.close();
        management.close();
      },
    });
  }

  /** Begins to supervise the processes that have been forked. */
  start(): void {
    listenToSignals({ log: this.#log, operations: this.#operations, shutdown: this.#shutdown });
    process.on('uncaughtException', (error) => {
      this.#log.error(`uncaughtException: ${error.stack}`);
      // Once the service runs, a Master that goes on supervising is worth more than one that has ended.
      this.#failBoot('uncaughtException in the Master');
    });
    process.on('message', (message) => {
      const envelope = parseEnvelope(message);
      if (envelope && !isControl(envelope)) this.#relay.route(envelope, 'parent');
    });
    this.#agents.on('message', (message, agent) => this.#relay.route(message, 'agent', agent));
    const notify = (event: string, detail?: unknown): void => void this.#messenger?.emit(event, detail);
    this.#relay.on('message', (message) => reloadForPlugin(message, this.#operations, notify));
    this.#agents.on('ready', (agent) => this.#onAgentReady(agent));
    this.#agents.on('died', (agent, reason, delay) => this.#onAgentDeath(agent, reason, delay));
    this.#workers.on('message', (envelope, worker) => receiveFromWorker(envelope, worker, this.#receivers));
    this.#workers.on('ready', (worker, address) => void this.#onWorkerReady(worker, address));
    this.#workers.on('died', (worker, reason, delay) => this.#onWorkerDeath(worker, reason, delay));
    this.#workers.on('exit', () => {
      this.#eggEvents.workerIds();
      this.#notifyStatus();
    });
    this.#agents.open();
    this.#workers.open();
    if (this.#agents.all.length === 0 || this.#workers.all.length < this.#options.workers) {
      this.#failBoot('a process ended as soon as it was forked');
      return;
    }
    this.#watchdog.start();
    if (!this.#upgrade.isSuccessor) void this.#management.open();
  }

  #onAgentReady({ id }: ManagedChild): void {
    this.#leader.agent = id;
    if (this.#machine.state === 'starting') {
      this.#workers.release();
      return;
    }
    this.#log.info(`Agent ${id} is ready`);
    this.#eggEvents.agentBack(id);
  }

  #onAgentDeath(agent: ManagedChild, reason: string, delay: number): void {
    if (this.#machine.state === 'starting') {
      this.#failBoot(`the Agent did not start: ${reason}`);
      return;
    }
    logDeath(this.#log, agent, reason, delay);
    this.#eggEvents.agentGone();
  }

  async #onWorkerReady({ id }: ManagedChild, address: ListenAddress): Promise<void> {
    let listening: ListenAddress;
    try {
      const opened = this.#listening.opened(address);
      listening = opened instanceof Promise ? await opened : opened;
    } catch (error) {
      this.#failBoot(toError(error).message);
      return;
    }
    this.#eggEvents.agentIdTo(id);
    this.#eggEvents.workerIds();
    this.#notifyStatus();
    if (this.#machine.state === 'ready') {
      this.#log.info(`app worker ${id} is ready`);
      this.#eggEvents.joined(id);
    } else if (this.#machine.state === 'closing') {
      this.#workers.find(id)?.handle.send({ clutch: CONTROL.stopping });
    } else if (this.#machine.state === 'starting' && this.#workers.ready.length >= workersToStart(this.#options)) {
      await this.#becomeReady(listening);
    }
  }

  async #becomeReady(listening: ListenAddress): Promise<void> {
    await this.#management.adminStarted;
    if (this.#machine.state !== 'starting') return;
    await this.#upgrade.takeOver();
    if (this.#machine.state !== 'starting') return;
    for (const unused of this.#listening.unused) {
      this.#log.warn(`nothing listens on the socket ${unused} that was passed to this process`);
    }
    this.#machine.become('ready');
    this.#log.info(`${this.#frameworkName} started on ${this.address} (${Date.now() - this.#begin} ms)`);
    this.#serviceManager.ready();
    this.#eggEvents.clusterReady(listening);
    this.#onReady();
  }

  #onWorkerDeath(worker: ManagedChild, reason: string, delay: number): void {
    if (this.#machine.state === 'starting') {
      this.#failBoot(`app worker ${worker.id} did not start: ${reason}`);
      return;
    }
    logDeath(this.#log, worker, reason, delay);
    this.#eggEvents.workerGone();
    // An IDE that stops debugging kills the process that it is attached to.
    if (this.#isInspected && reason === 'ended by SIGKILL') {
      this.#shutdown.end(0, { reason: 'stop', text: 'the debugger has ended a worker' });
    }
  }

  #failBoot(reason: string): void {
    if (this.#machine.state !== 'starting') return;
    debug('the boot fails: %s', reason);
    this.#log.error(`start failed: ${reason}`);
    this.#upgrade.failed(reason);
    this.#shutdown.end(1, { reason: 'boot-error', text: `start failed: ${reason}` });
  }

  get address(): string {
    return this.#listening.address;
  }

  get messenger(): MasterMessenger {
    this.#messenger ??= new MasterMessenger(this.#relay);
    return this.#messenger;
  }

  get adminAddress(): string | undefined {
    return this.#management.adminAddress;
  }

  get pids(): ClusterHandle['pids'] {
    return {
      master: process.pid,
      agent: this.#agents.current?.id,
      workers: this.#workers.ready.map(({ id }) => id),
    };
  }

  status(): ClusterStatus {
    return this.#report.status();
  }

  reload(options?: ReloadOptions): Promise<void> {
    return this.#operations.reload(options);
  }

  #notifyStatus(): void {
    this.#serviceManager.status(() => {
      const { ready, slots } = this.#workers;
      return `${ready.length} of ${slots.length} app workers take requests on ${this.address}`;
    });
  }

  scale(workers: number, asker?: string): Promise<void> {
    return this.#operations.scale(workers, asker);
  }

  close(asker?: string): Promise<void> {
    return this.#shutdown.close(0, { reason: 'stop', text: 'the cluster was stopped', asker });
  }
}
