import * as nodeModule from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClutchError, toError } from '../../errors.js';
import { describeForScreen, type ErrorData } from '../../ipc/error_data.js';
import { CONTROL, type Envelope, isControl } from '../../ipc/message.js';
import { keepStandardOutput } from '../../ipc/recent_lines.js';
import { withPosition } from '../../output/hook_position.js';
import { maskText } from '../../output/secrets.js';
import type { Admin } from '../admin/http/admin.js';
import type { ChildApplication } from '../child/boot_child.js';
import { BOOTING_CLOSE_LIMIT, closeApp } from '../child/close_app.js';
import { Heartbeat } from '../child/heartbeat.js';
import { type Controlled, ControlServer } from '../control/control_server.js';
import { type ClusterStatus, MASTER_TRANSITIONS, type MasterState } from '../control/status.js';
import { DeathFile } from '../deaths/death_file.js';
import { OwnRecord } from '../deaths/own_record.js';
import type { InheritedSockets } from '../listen/inherited_sockets.js';
import { PreparedSockets } from '../listen/unix_socket.js';
import { type ClusterOptions, closeTimeoutFrom } from '../options/options.js';
import { Profiles } from '../profile/profiles.js';
import { displayAddress, type ListenAddress } from '../protocol/listen_address.js';
import { overdueSentence } from '../protocol/overdue.js';
import type { OverdueRequests, ProcessStats } from '../protocol/protocol.js';
import { Vitals } from '../protocol/vitals.js';
import { Certificates } from '../service/certificates.js';
import { ServiceManager } from '../service/service_manager.js';
import { listenToSignals } from '../service/signals.js';
import { SuspectRoutes } from '../service/suspect_routes.js';
import type { Ending } from '../supervise/managed_child.js';
import { StateMachine } from '../supervise/state_machine.js';
import { meter, serve, type WorkerApplication } from '../worker/serve.js';
import { LocalLink } from './local_link.js';
import { type LocalBus, LocalRoutes, toParent } from './local_routes.js';
import { SingleReport } from './single_report.js';

const require = nodeModule.createRequire(import.meta.url);

/** Milliseconds between two heartbeats. */
const STATS_INTERVAL = 1000;

const STOPPED = 'the app was stopped';

type Messenger = Controlled['cluster']['messenger'];

/** What Clutch's own framework exports for this. */
interface Framework {
  LocalBus: new () => LocalBus;
  bootBoth(
    options: object,
    hooks: { localBus: LocalBus; onCreated(app: ChildApplication): void },
  ): Promise<WorkerApplication>;
}

interface SingleParts<M> {
  options: ClusterOptions;
  /** Name and version, for the log. */
  frameworkName: string;
  /** URL of Clutch's own framework. */
  clutch: string;
  inherited: InheritedSockets;
  log: { info(message: string): void; warn(message: string): void; error(message: string): void };
  createMessenger(routes: LocalRoutes): M;
}

/**
 * An app without a Master: Agent and Application serve in this process, for containers with one processor. Whoever has
 * started it supervises it.
 */
export class SingleProcess<M extends Messenger> {
  readonly #parts: SingleParts<M>;
  readonly #machine = new StateMachine<MasterState>('single process', MASTER_TRANSITIONS, 'starting');
  readonly #begin = Date.now();
  readonly #suspects = new SuspectRoutes((message) => this.#link.deliver(message));
  readonly #vitals = new Vitals();
  readonly #link = new LocalLink((message) => this.#receive(message));
  readonly #deaths: OwnRecord;
  readonly #prepared: PreparedSockets;
  readonly #certificates: Certificates;
  readonly #serviceManager: ServiceManager;
  readonly #control: ControlServer;
  #admin: Admin | undefined;
  readonly #bus: LocalBus;
  readonly #framework: Framework;
  readonly messenger: M;
  #heartbeat: Heartbeat | undefined;
  /** Constructed so far: the Agent, then the Application. */
  readonly #apps: ChildApplication[] = [];
  #address: ListenAddress | undefined;
  /** Why it ends, and the error that ends it. */
  #ending: Ending | undefined;
  #failure: ErrorData | undefined;
  #closing: Promise<number> | undefined;
  #onClosed: (code: number) => void = () => undefined;
  /** Resolves with the exit code. */
  readonly #closed = new Promise<number>((resolve) => {
    this.#onClosed = resolve;
  });

  readonly #report = new SingleReport(this.#vitals, () => ({
    state: this.#machine.state,
    address: this.address,
    baseDir: this.#parts.options.baseDir,
    undeliveredMessages: this.#bus.undeliveredMessages,
  }));

  constructor(parts: SingleParts<M>, framework: Framework) {
    this.#parts = parts;
    this.#framework = framework;
    const { options, log, inherited } = parts;
    const { baseDir } = options;
    this.#bus = new framework.LocalBus();
    this.messenger = parts.createMessenger(new LocalRoutes(this.#bus));
    this.#deaths = new OwnRecord(new DeathFile(baseDir, (message) => log.warn(message)), 'single');
    this.#prepared = new PreparedSockets(inherited);
    this.#certificates = new Certificates(log, () => this.#link.deliver({ clutch: CONTROL.reloadTls }));
    this.#serviceManager = new ServiceManager(log);
    const nobody = { find: () => undefined, pause: () => () => undefined };
    const controlled: Controlled = {
      cluster: this,
      operations: {
        reload: () => this.reload(),
        scale: () => this.scale(),
        environmentChanges: () => refuse('takes no other environment', 'Restart it with `clutch restart`.'),
        set: () => refuse('has no limits that can be changed', 'Give at least one worker.'),
      },
      profiles: new Profiles({ self: 'process', agents: nobody, workers: nobody, baseDir, log }),
      view: async () => refuse('keeps no history', '`clutch status --watch` shows what it does.'),
      upgrade: async () => refuse('cannot be upgraded while it serves', 'Restart it with `clutch restart`.'),
    };
    this.#control = new ControlServer(controlled, log);
  }

  /** Boots the app and serves it; a boot that fails prints its error and ends the process with code 1. */
  async start(): Promise<void> {
    const { options, log, inherited } = this.#parts;
    listenToSignals({
      receiver: 'the process',
      log,
      operations: {
        reload: async () => {
          log.error('SIGHUP has no effect: the app is one process (workers: 0)');
        },
      },
      shutdown: {
        end: (_code, ending) => void this.#close({ ...ending, text: STOPPED }).then((code) => process.exit(code)),
        force: (reason) => {
          log.error(`${reason}: ending at once`);
          process.exit(1);
        },
      },
    });
    const onException = (error: Error): void => void this.#fail(error);
    process.on('uncaughtException', onException);
    keepStandardOutput();
    this.#heartbeat = new Heartbeat(this.#link, STATS_INTERVAL, meter);
    void this.#control.open(options.baseDir);
    try {
      const adminStarted = this.#startAdmin();
      // It is awaited below.
      adminStarted.catch(() => undefined);
      for (const file of options.require) require(file);
      const { https: _, pidFile: __, admin: ___, execArgv: ____, ...appOptions } = options;
      const app = await this.#framework.bootBoth(appOptions, {
        localBus: this.#bus,
        onCreated: (created) => void this.#apps.push(created),
      });
      // A boot that was interrupted is closed by whoever has interrupted it.
      if (this.#machine.state !== 'starting') return void (await this.#never());
      this.#heartbeat.lostLines = () => app.loggers?.lostLines ?? 0;
      // From here on, `serve` listens for exceptions.
      process.off('uncaughtException', onException);
      await serve({
        app,
        boot: { options, closeTimeout: closeTimeoutFrom('EGG_APP_CLOSE_TIMEOUT', options.killTimeout) },
        link: this.#link,
        inherited: ({ address, port }) => inherited.take(address, port)?.fd,
        end: (code, limit) => this.#end(code, limit),
        fail: (error) => this.#fail(error),
      });
      await adminStarted;
      if (this.#machine.state === 'starting') this.#becomeReady();
    } catch (error) {
      await this.#fail(toError(error));
      await this.#never();
    }
  }

  async #startAdmin(): Promise<void> {
    const { admin } = this.#parts.options;
    if (!admin) return;
    const { startAdmin } = await import('../admin/http/admin.js');
    try {
      this.#admin = await startAdmin(admin, this.#report, undefined);
    } catch (error) {
      const where = 'path' in admin.listen ? admin.listen.path : `port ${admin.listen.port}`;
      throw new Error(`the admin listener cannot use ${where}: ${toError(error).message}`, { cause: error });
    }
    if (this.#closing) this.#admin.close();
  }

  /** The process is about to exit. */
  #never(): Promise<never> {
    return new Promise(() => undefined);
  }

  #becomeReady(): void {
    const { options, log, inherited, frameworkName } = this.#parts;
    for (const { address, port } of inherited.unused) {
      log.warn(`nothing listens on the socket ${port ?? address} that was passed to this process`);
    }
    this.#machine.become('ready');
    log.info(`${frameworkName} started on ${this.address} in one process (${Date.now() - this.#begin} ms)`);
    this.#serviceManager.ready();
    const { https: _, ...announced } = options;
    this.#bus.announce('egg-pids', [process.pid]);
    this.#bus.announce('egg-ready', announced);
    const { address: host, port, protocol } = this.#address as ListenAddress;
    const data = { port, address: this.address, protocol, host, debugPort: options.debugPort };
    toParent({ action: 'egg-ready', data, to: 'parent', from: 'master' });
  }

  /** What a Master gets from a worker. */
  #receive({ data, ...message }: Envelope): void {
    const { log } = this.#parts;
    if (!isControl(message)) return;
    switch (message.clutch) {
      case CONTROL.stats:
        this.#vitals.beat(data as ProcessStats);
        this.#report.beat(data as ProcessStats);
        break;
      case CONTROL.ready:
        this.#address = data as ListenAddress;
        break;
      case CONTROL.leaving:
        this.#onException(data as ErrorData);
        break;
      case CONTROL.overdue:
        log.error(overdueSentence(data as OverdueRequests));
        this.#suspects.add(data as OverdueRequests);
        break;
      case CONTROL.cut:
        log.warn(`${data} connections were cut: the time to drain was over`);
        break;
      case CONTROL.prepareSocket:
        void this.#prepared.prepare(data as string, { send: (reply) => this.#link.deliver(reply) });
        break;
      case CONTROL.tlsFiles:
        this.#certificates.watch(data as string[]);
        break;
      case CONTROL.tlsReloaded:
        this.#certificates.reloaded(data as string | undefined);
        break;
    }
  }

  /** `serve` has logged it, and drains. */
  #onException(error: ErrorData): void {
    if (this.#closing) return;
    this.#failure = error;
    this.#ending = { reason: 'exception', text: `uncaughtException: ${maskText(error.message)}` };
    this.#parts.log.error(
      `${this.#ending.text}: what is in flight gets its response, then the process ends with code 1`,
    );
    this.#machine.become('closing');
    void this.#serviceManager.stopping();
    this.#closing = this.#closed;
    void this.#closed.then((code) => process.exit(code));
  }

  /** An error that keeps the app from serving: prints it and ends the process with code 1. */
  async #fail(error: Error): Promise<void> {
    if (this.#closing) return;
    const isBooting = this.#machine.state === 'starting';
    this.#closing = this.#closed;
    this.#failure = describeForScreen(error);
    this.#ending = { reason: isBooting ? 'boot-error' : 'exception', text: maskText(error.message) };
    const { screen, stack, message } = this.#failure;
    const isPrinted = screen === undefined && this.#apps.some((app) => app.isLogged?.(error));
    const text = isPrinted ? `${message} (its stack is printed above)` : maskText(screen ?? stack ?? message);
    this.#parts.log.error(isBooting ? `start failed: ${text}` : text);
    this.#machine.become('closing');
    void this.#closed.then((code) => process.exit(code));
    await this.#end(1, BOOTING_CLOSE_LIMIT);
  }

  #close(ending: Ending): Promise<number> {
    this.#closing ??= this.#drain(ending);
    return this.#closing;
  }

  async #drain(ending: Ending): Promise<number> {
    const { log, options } = this.#parts;
    const wasReady = this.#machine.state === 'ready';
    this.#ending = ending;
    this.#machine.become('closing');
    const notified = this.#serviceManager.stopping();
    if (wasReady && options.preStopDelay > 0) {
      log.info(`not ready any more, draining in ${options.preStopDelay} ms`);
      this.#link.deliver({ clutch: CONTROL.stopping });
      await sleep(options.preStopDelay);
    }
    // `serve` drains, and calls `#end`.
    if (wasReady) this.#link.deliver({ clutch: CONTROL.close });
    else {
      for (const task of this.#apps.at(-1)?.lifecycle?.remaining ?? []) {
        log.warn(`ended while it boots; still running: ${withPosition(task)}`);
      }
      await this.#end(0, BOOTING_CLOSE_LIMIT);
    }
    await notified;
    return this.#closed;
  }

  /** Runs the close hooks, no longer than `limit` milliseconds, and what comes last. */
  async #end(code: number, limit?: number): Promise<void> {
    // The Application closes the Agent.
    const app = this.#apps.at(-1);
    const exitCode = app ? await closeApp(app, code, limit) : code;
    this.#heartbeat?.beat();
    this.#certificates.close();
    this.#control.close();
    this.#admin?.close();
    this.#serviceManager.close();
    this.#deaths.end(this.#ending ?? { reason: 'exit', text: 'it has ended' }, exitCode, this.#details());
    this.#machine.become('closed');
    this.#parts.log.info('closed');
    this.#onClosed(exitCode);
  }

  #details(): Parameters<OwnRecord['end']>[2] {
    const { stats, lines } = this.#vitals;
    const { name, message, stack = message } = this.#failure ?? { name: '', message: '' };
    return {
      ...(stats && { inFlight: stats.inFlight, requests: stats.requests, loopDelay: stats.loopP99 }),
      ...(this.#failure && { error: { name, message: maskText(message), stack: maskText(stack) } }),
      lines: lines.map((line) => maskText(line).trimEnd()),
    };
  }

  get address(): string {
    return this.#address ? displayAddress(this.#address) : '';
  }

  get adminAddress(): string | undefined {
    return this.#admin?.address;
  }

  get pids(): { master: number; agent: number; workers: number[] } {
    return { master: process.pid, agent: process.pid, workers: [process.pid] };
  }

  status(): ClusterStatus {
    return this.#report.status();
  }

  /** @throws {ClutchError} ERR_CLUTCH_CONTROL */
  async reload(): Promise<void> {
    refuse('cannot be reloaded while it serves', 'Restart it with `clutch restart`, or give at least one worker.');
  }

  /** @throws {ClutchError} ERR_CLUTCH_CONTROL */
  async scale(): Promise<void> {
    refuse('has no workers', 'Start it with at least one worker.');
  }

  async close(asker?: string): Promise<void> {
    await this.#close({ reason: 'stop', text: STOPPED, asker });
  }
}

/** Boots the app in this process and serves it. */
export async function startSingle<M extends Messenger>(parts: SingleParts<M>): Promise<SingleProcess<M>> {
  // From Node 22.1 on, what is loaded from here on is compiled once, for the next start.
  (nodeModule as { enableCompileCache?: () => unknown }).enableCompileCache?.();
  const framework = (await import(parts.clutch)) as Framework;
  const single = new SingleProcess(parts, framework);
  await single.start();
  return single;
}

function refuse(what: string, fix: string): never {
  throw new ClutchError('ERR_CLUTCH_CONTROL', `an app that is one process (workers: 0) ${what}`, { fix });
}
