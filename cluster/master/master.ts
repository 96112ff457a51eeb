import { setTimeout as sleep } from 'node:timers/promises';
import { debuglog } from 'node:util';
import { ClutchError, toError } from '../../errors.js';
import { CONTROL, type Envelope, isControl } from '../../ipc/message.js';
import type { LeaderInfo } from '../../ipc/socket_path.js';
import { ClusterReport } from '../control/cluster_report.js';
import { ControlServer } from '../control/control_server.js';
import type { ClusterStatus, MasterState } from '../control/status.js';
import { DeathRegister } from '../deaths/death_register.js';
import type { InheritedSockets } from '../listen/inherited_sockets.js';
import { StickyListener } from '../listen/sticky.js';
import { PreparedSockets } from '../listen/unix_socket.js';
import { type ClusterOptions, parseChange, parseWorkers } from '../options/options.js';
import { workersNeeded } from '../options/ready_policy.js';
import { displayAddress, type ListenAddress } from '../protocol/listen_address.js';
import { parseEnvelope } from '../protocol/parse_envelope.js';
import { hasInspector, type OverdueRequests } from '../protocol/protocol.js';
import { Certificates } from '../service/certificates.js';
import { type EnvironmentChange, EnvironmentFile } from '../service/environment_file.js';
import { INIT, type Predecessor } from '../service/predecessor.js';
import { ServiceManager } from '../service/service_manager.js';
import type { Successor } from '../service/successor.js';
import { ClusterWorkers } from '../spawn/cluster_workers.js';
import type { Ending, ManagedChild } from '../supervise/managed_child.js';
import { type ReloadOptions, RollingRestart } from '../supervise/rolling_restart.js';
import { AutoSize } from '../supervise/sizing.js';
import { StateMachine } from '../supervise/state_machine.js';
import type { Supervisor } from '../supervise/supervisor.js';
import { Watchdog } from '../supervise/watchdog.js';
import { EggEvents } from './egg_events.js';
import type { ClusterHandle } from './handle.js';
import { killHung, logDeath, overdueEnding } from './incidents.js';
import { createMasterLog } from './master_log.js';
import { MasterMessenger } from './master_messenger.js';
import { Relay } from './relay.js';
import { listenToSignals } from './signals.js';
import type { SpawnedCluster } from './spawn_all.js';

const debug = debuglog('clutch:cluster');

/** Milliseconds that killed processes get to exit. */
const FORCE_LIMIT = 1000;

const TRANSITIONS = {
  starting: ['ready', 'closing'],
  ready: ['closing'],
  closing: ['closed'],
  closed: [],
} as const;

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
  readonly #restarts: RollingRestart;
  readonly #relay: Relay;
  readonly #eggEvents: EggEvents;
  readonly #report: ClusterReport;
  readonly #watchdog: Watchdog;
  readonly #deaths: DeathRegister;
  readonly #autoSize: AutoSize | undefined;
  readonly #sticky: StickyListener<ManagedChild> | undefined;
  readonly #frameworkName: string;
  readonly #isInspected: boolean;
  /** What Leader and Followers need to find and trust each other; `agent` follows the Agent in use. */
  readonly #leader: LeaderInfo;
  #messenger: MasterMessenger | undefined;
  #admin: { address: string; close(): void } | undefined;
  #adminStarted: Promise<void> | undefined;
  readonly #machine = new StateMachine<MasterState>('Master', TRANSITIONS, 'starting');
  #listening: ListenAddress | undefined;
  #closing: Promise<void> | undefined;
  readonly #control = new ControlServer(this, this.#log);
  readonly #sockets: PreparedSockets;
  readonly #inherited: InheritedSockets;
  readonly #predecessor: Predecessor | undefined;
  readonly #onServing: () => void;
  readonly #source: ClusterWorkers | undefined;
  #successor: Successor | undefined;
  readonly #serviceManager = new ServiceManager(this.#log);
  readonly #environment = new EnvironmentFile();
  readonly #certificates = new Certificates(this.#log, () => {
    for (const { handle } of this.#workers.ready) handle.send({ clutch: CONTROL.reloadTls });
  });
  #onReady = (): void => undefined;
  /** Resolves when every process is ready. */
  readonly ready = new Promise<void>((resolve) => {
    this.#onReady = resolve;
  });

  constructor(
    options: ClusterOptions,
    frameworkName: string,
    { agents, workers, source, leader, ports, begin, inherited, predecessor, onServing }: MasterParts,
  ) {
    this.#options = { ...options };
    this.#frameworkName = frameworkName;
    this.#leader = leader;
    this.#begin = begin;
    this.#inherited = inherited;
    this.#predecessor = predecessor;
    this.#onServing = onServing;
    this.#sockets = new PreparedSockets(inherited);
    this.#source = source instanceof ClusterWorkers ? source : undefined;
    this.#agents = agents;
    this.#workers = workers;
    ports.then(
      (chosen) => void Object.assign(this.#options, chosen),
      (error: Error) => this.#failBoot(`no free port: ${error.message}`),
    );
    if (options.sticky && source instanceof ClusterWorkers) {
      this.#sticky = new StickyListener({
        workers: () => this.#workers.ready,
        send: ({ handle }, message, socket) => source.sendSocket(handle, message, socket),
        inherited,
      });
    }
    this.#restarts = new RollingRestart(this.#agents, this.#workers, this.#log);
    if (options.sizing) {
      this.#autoSize = new AutoSize({
        range: options.sizing,
        workers,
        scale: (count, ending) => this.#scale(count, ending),
        log: this.#log,
      });
    }
    this.#relay = new Relay(this.#agents, this.#workers, this.#log);
    this.#eggEvents = new EggEvents(this.#relay, this.#agents, this.#workers, this.#options);
    this.#report = new ClusterReport(this.#agents, this.#workers, () => ({
      state: this.#machine.state,
      address: this.address,
      baseDir: options.baseDir,
      undeliveredMessages: this.#relay.undeliveredMessages,
      needed: workersNeeded(options.ready ?? { min: 1 }, this.#workers.slots.length),
      deaths: this.#deaths.counts,
    }));
    this.#deaths = new DeathRegister({
      agents,
      workers,
      baseDir: options.baseDir,
      warn: (message) => this.#log.warn(message),
    });
    // A process that is being debugged may stop at a breakpoint for any time.
    this.#isInspected = hasInspector(options.execArgv ?? process.execArgv);
    const { maxMemory, maxMemoryHard, maxLoopDelay, maxRequests, maxAge } = options;
    const limits = { maxMemory, maxMemoryHard, maxLoopDelay, maxRequests, maxAge };
    const watched = { ...limits, hangTimeout: this.#isInspected ? 0 : options.hangTimeout };
    const isThread = options.startMode === 'worker_threads';
    this.#watchdog = new Watchdog(watched, () => [...this.#agents.all, ...this.#workers.all], {
      onHang: (child, silent) => void killHung(this.#log, child, { silent, isThread }),
      mayReplace: () => this.#machine.state === 'ready',
      onLimit: (worker, ending) => this.#restarts.recycle(worker, ending),
      onHardLimit: (worker, ending) => {
        worker.killFor(ending);
        worker.handle.kill();
      },
      onTick: () => {
        this.#deaths.tick();
        if (this.#machine.state !== 'ready') return;
        this.#agents.fillGaps();
        this.#workers.fillGaps();
        this.#autoSize?.tick();
      },
    });
  }

  /** Begins to supervise the processes that have been forked. */
  start(): void {
    listenToSignals({
      onClose: (signal) => {
        this.#log.info(`received ${signal}, closing`);
        this.#end(0, { reason: 'stop', text: 'the cluster was stopped', asker: `${signal} to the Master` });
      },
      onForce: (signal) => this.#force(`received ${signal} while closing`),
      onReload: () => {
        this.#log.info('received SIGHUP, reloading');
        // The outcome is logged by reload itself.
        this.reload({ asker: 'SIGHUP to the Master' }).catch(() => undefined);
      },
    });
    process.on('uncaughtException', (error) => this.#onException(error));
    process.on('message', (message) => {
      const envelope = parseEnvelope(message);
      if (envelope && !isControl(envelope)) this.#relay.route(envelope, 'parent');
    });
    this.#agents.on('message', (message, agent) => this.#relay.route(message, 'agent', agent));
    this.#relay.on('message', ({ action, data }) => {
      // What the development plugin asks for; Egg's own names no Agent.
      if (action !== 'reload-worker') return;
      const agent = (data as { agent?: unknown } | undefined)?.agent === true;
      // The outcome is logged by reload itself.
      this.reload({ agent, asker: 'plugin development' }).then(
        () => this.#messenger?.emit('clutch:reloaded'),
        (error: Error) => this.#messenger?.emit('clutch:reload-failed', error.message),
      );
    });
    this.#agents.on('ready', (agent) => this.#onAgentReady(agent));
    this.#agents.on('died', (agent, reason, delay) => this.#onAgentDeath(agent, reason, delay));
    this.#workers.on('message', (envelope, worker) => this.#onWorkerMessage(envelope, worker));
    this.#workers.on('ready', (worker, address) => void this.#onWorkerReady(worker, address));
    this.#workers.on('died', (worker, reason, delay) => this.#onWorkerDeath(worker, reason, delay));
    this.#workers.on('exit', () => {
      this.#eggEvents.workerIds();
      this.#notifyStatus();
    });
    const sticky = this.#sticky;
    if (sticky) {
      this.#workers.on('forked', (worker) => watchSticky(sticky, worker));
      for (const worker of this.#workers.all) watchSticky(sticky, worker);
    }
    if (this.#agents.all.length === 0 || this.#workers.all.length < this.#options.workers) {
      this.#failBoot('a process ended as soon as it was forked');
      return;
    }
    this.#watchdog.start();
    if (!this.#predecessor) {
      void this.#control.open(this.#options.baseDir);
      this.#adminStarted = this.#startAdmin();
    }
  }

  async #startAdmin(): Promise<void> {
    const { admin } = this.#options;
    if (!admin) return;
    try {
      const { startAdmin } = await import('../control/admin.js');
      this.#admin = await startAdmin(admin, this.#report);
      if (this.#machine.state === 'closed') this.#admin.close();
    } catch (error) {
      this.#failBoot(`the admin listener cannot use port ${admin.port}: ${toError(error).message}`);
    }
  }

  #onWorkerMessage(envelope: Envelope, worker: ManagedChild): void {
    const { data } = envelope;
    switch (isControl(envelope) ? envelope.clutch : undefined) {
      case CONTROL.connectionTaken:
        this.#sticky?.taken(data as number);
        break;
      case CONTROL.connectionRefused:
        this.#sticky?.refused(data as number);
        break;
      case CONTROL.cut:
        this.#log.warn(`app worker ${worker.id} has cut ${data} connections: the time to drain was over`);
        break;
      case CONTROL.overdue:
        this.#watchdog.replace(worker, overdueEnding(worker, data as OverdueRequests));
        break;
      case CONTROL.prepareSocket:
        void this.#sockets.prepare(data as string, worker.handle);
        break;
      case CONTROL.tlsFiles:
        this.#certificates.watch(data as string[]);
        break;
      case CONTROL.tlsReloaded:
        this.#certificates.reloaded(data as string | undefined);
        break;
      default:
        this.#relay.route(envelope, 'app', worker);
    }
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
    if (this.#sticky && !this.#listening) {
      this.#listening = address;
      try {
        this.#listening = await this.#sticky.listen(address);
      } catch (error) {
        this.#failBoot(toError(error).message);
        return;
      }
    }
    this.#listening ??= address;
    this.#sticky?.redispatch();
    this.#eggEvents.agentIdTo(id);
    this.#eggEvents.workerIds();
    this.#notifyStatus();
    if (this.#machine.state === 'ready') {
      this.#log.info(`app worker ${id} is ready`);
      this.#eggEvents.joined(id);
    } else if (this.#machine.state === 'closing') {
      this.#workers.find(id)?.handle.send({ clutch: CONTROL.stopping });
    } else if (this.#machine.state === 'starting' && this.#workers.ready.length >= this.#neededToStart) {
      await this.#becomeReady(this.#listening);
    }
  }

  get #neededToStart(): number {
    const { ready, workers } = this.#options;
    return workersNeeded(ready ?? { min: workers }, workers);
  }

  async #becomeReady(listening: ListenAddress): Promise<void> {
    await this.#adminStarted;
    if (this.#machine.state !== 'starting') return;
    if (this.#predecessor) await this.#takeOver(this.#predecessor);
    if (this.#machine.state !== 'starting') return;
    for (const { address, port } of this.#inherited.unused) {
      this.#log.warn(`nothing listens on the socket ${port ?? address} that was passed to this process`);
    }
    this.#machine.become('ready');
    this.#log.info(`${this.#frameworkName} started on ${this.address} (${Date.now() - this.#begin} ms)`);
    this.#serviceManager.ready();
    this.#eggEvents.clusterReady(listening);
    this.#onReady();
  }

  /** Commands, pid file and probes go over to this Master, which is then the one of its app. */
  async #takeOver(predecessor: Predecessor): Promise<void> {
    await predecessor.takeOver();
    if (this.#machine.state !== 'starting') return;
    this.#onServing();
    await this.#control.open(this.#options.baseDir);
    await this.#startAdmin();
    predecessor.serving();
  }

  /**
   * Has a new Master take the place of this one, with new code of Node, Clutch and the app; the port stays open.
   *
   * @param execPath the Node that runs it
   * @returns its pid, once it serves; this process drains and exits then
   * @throws {ClutchError} ERR_CLUTCH_BOOT when it does not become ready; this Master serves on
   */
  async upgrade(execPath = process.execPath, asker?: string): Promise<number> {
    this.#checkUpgrade();
    const sockets = [...(this.#source?.sockets ?? []), ...(this.#sticky?.sockets ?? [])];
    const inheritance = { sockets, port: this.#options.port };
    this.#log.info('a new Master is started to replace this one');
    const { Successor: StartedMaster } = await import('../service/successor.js');
    this.#checkUpgrade();
    const successor = new StartedMaster({ execPath, inheritance, env: this.#serviceManager.environment });
    this.#successor = successor;
    let isReleased = false;
    try {
      await successor.ready();
      isReleased = true;
      this.#control.close();
      this.#admin?.close();
      await successor.takeOver();
    } catch (error) {
      this.#successor = undefined;
      await successor.stop();
      this.#log.error(`upgrade failed, this Master stays: ${toError(error).message}`);
      if (isReleased && this.#machine.state === 'ready') {
        await this.#control.open(this.#options.baseDir);
        if (this.#options.admin) await this.#startAdmin();
      }
      throw error;
    }
    this.#log.info(`replaced by the Master ${successor.pid}, draining`);
    this.#successor = undefined;
    const ending: Ending = { reason: 'upgrade', text: `the Master ${successor.pid} has taken over`, asker };
    setImmediate(() => this.#end(0, ending, { isReplaced: true }));
    return successor.pid;
  }

  #checkUpgrade(): void {
    const refuse = (what: string, fix: string): never => {
      throw new ClutchError('ERR_CLUTCH_CONTROL', `no upgrade: ${what}`, { fix });
    };
    if (this.#machine.state !== 'ready' || this.#successor)
      refuse(`the app is ${this.#successor ? 'being upgraded' : this.#machine.state}`, 'Try again later.');
    if (!this.#source) refuse('threads cannot pass their sockets on', "Restart the app, or use startMode: 'process'.");
    if (process.pid === 1 || process.env[INIT] !== undefined) {
      refuse('the Master is the main process of a container', 'Replace the container.');
    }
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
      this.#end(0, { reason: 'stop', text: 'the debugger has ended a worker' });
    }
  }

  #onException(error: Error): void {
    this.#log.error(`uncaughtException: ${error.stack}`);
    // Once the service runs, a Master that goes on supervising is worth more than one that has ended.
    this.#failBoot('uncaughtException in the Master');
  }

  #failBoot(reason: string): void {
    if (this.#machine.state !== 'starting') return;
    debug('the boot fails: %s', reason);
    this.#log.error(`start failed: ${reason}`);
    this.#end(1, { reason: 'boot-error', text: `start failed: ${reason}` });
  }

  /** Closes and exits, even if closing fails. */
  #end(code: number, ending: Ending, how: CloseOptions = {}): void {
    this.#closeOnce(code, ending, how).then(
      () => process.exit(code),
      (error: Error) => this.#force(`closing failed: ${error.stack}`),
    );
  }

  #force(reason: string): void {
    this.#log.error(`${reason}: killing all processes`);
    const children = [...this.#workers.all, ...this.#agents.all].map(({ handle }) => handle);
    // Whoever waits for the Master to exit must not find a child that is still there.
    const gone = Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    for (const child of children) child.kill();
    setTimeout(() => process.exit(1), FORCE_LIMIT);
    void gone.then(() => process.exit(1));
  }

  get address(): string {
    return this.#listening ? displayAddress(this.#listening) : '';
  }

  get messenger(): MasterMessenger {
    this.#messenger ??= new MasterMessenger(this.#relay);
    return this.#messenger;
  }

  get adminAddress(): string | undefined {
    return this.#admin?.address;
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

  async reload(options?: ReloadOptions): Promise<void> {
    const undo = options?.envFile === undefined ? undefined : this.#environment.apply(options.envFile);
    this.#serviceManager.reloading();
    try {
      await this.#restarts.reload(options);
    } catch (error) {
      undo?.();
      throw error;
    } finally {
      this.#serviceManager.ready();
    }
  }

  /** @returns which variables `reload` with this file would change */
  environmentChanges(file: string): EnvironmentChange[] {
    return this.#environment.changes(file);
  }

  #notifyStatus(): void {
    this.#serviceManager.status(() => {
      const { ready, slots } = this.#workers;
      return `${ready.length} of ${slots.length} app workers take requests on ${this.address}`;
    });
  }

  async scale(workers: number, asker?: string): Promise<void> {
    const count = parseWorkers(workers);
    this.#autoSize?.stop();
    await this.#scale(count, { reason: 'scale', text: `scaled to ${count} app workers`, asker });
  }

  async #scale(count: number, ending: Ending): Promise<void> {
    await this.#restarts.scale(count, ending);
    this.#eggEvents.workerIds();
  }

  /**
   * Changes an option of the running cluster.
   *
   * @throws {ClutchError} ERR_CLUTCH_OPTION when it cannot be changed, or the value is wrong
   */
  set(name: string, given: string): { name: string; from: number; to: number } {
    const { name: option, value } = parseChange(name, given);
    const from = this.#watchdog.setLimit(option, value);
    this.#log.info(`option ${option} changed from ${from} to ${value}`);
    return { name: option, from, to: value };
  }

  close(asker?: string): Promise<void> {
    return this.#closeOnce(0, { reason: 'stop', text: 'the cluster was stopped', asker }, {});
  }

  #closeOnce(code: number, ending: Ending, how: CloseOptions): Promise<void> {
    this.#closing ??= this.#close(code, ending, how);
    return this.#closing;
  }

  /** Load balancers notice that the service is not ready while it still serves. */
  async #waitBeforeStop(): Promise<void> {
    const { preStopDelay } = this.#options;
    if (preStopDelay === 0) return;
    this.#log.info(`not ready any more, draining in ${preStopDelay} ms`);
    for (const { handle } of this.#workers.ready) handle.send({ clutch: CONTROL.stopping });
    await sleep(preStopDelay);
  }

  async #close(code: number, ending: Ending, { isReplaced = false }: CloseOptions): Promise<void> {
    const isServing = this.#machine.state === 'ready';
    this.#machine.become('closing');
    if (isReplaced) {
      this.#serviceManager.close();
      await Promise.all([this.#source?.release(), this.#sticky?.release()]);
    }
    const notified = isReplaced ? undefined : this.#serviceManager.stopping();
    const stopped = this.#successor?.stop();
    if (isServing && !isReplaced) await this.#waitBeforeStop();
    await stopped;
    this.#sticky?.close();
    this.#agents.stopReplacing();
    await this.#workers.close(ending);
    await this.#agents.close(ending);
    this.#watchdog.stop();
    this.#certificates.close();
    this.#control.close();
    this.#admin?.close();
    await notified;
    this.#serviceManager.close();
    this.#deaths.endMaster(ending, code);
    this.#machine.become('closed');
    this.#log.info('closed');
  }
}

interface CloseOptions {
  /** Another Master serves: nothing is announced, and the sockets stay open there. */
  isReplaced?: boolean;
}

function watchSticky(sticky: StickyListener<ManagedChild>, worker: ManagedChild): void {
  worker.handle.on('socketLost', () => sticky.lost(worker));
  worker.handle.once('disconnect', () => sticky.redispatch(worker));
}
