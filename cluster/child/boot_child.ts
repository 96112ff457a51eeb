import * as nodeModule from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { ClutchError, toError } from '../../errors.js';
import { describeForScreen } from '../../ipc/error_data.js';
import { CONTROL, type Control, type Envelope, isControl } from '../../ipc/message.js';
import { keepStandardOutput } from '../../ipc/recent_lines.js';
import { withPosition } from '../../output/hook_position.js';
import { stderr } from '../../output/stdio.js';
import type { ChildOptions } from '../options/options.js';
import type { ListenAddress } from '../protocol/listen_address.js';
import type { ProfileOrder } from '../protocol/profile_order.js';
import type { BootData, PrepareData, RequestCounters } from '../protocol/protocol.js';
import { hasInspector, inspectorPort } from '../protocol/protocol.js';
import { BOOTING_CLOSE_LIMIT, closeApp } from './close_app.js';
import { Heartbeat } from './heartbeat.js';
import { connectMaster, type MasterLink } from './master_link.js';

const require = nodeModule.createRequire(import.meta.url);

// From Node 22.1 on, what is loaded from here on is compiled once for all processes, and for the next start.
(nodeModule as { enableCompileCache?: () => unknown }).enableCompileCache?.();

/** What a framework's class looks like to a worker entry, which knows it by its directory only. */
export interface ChildApplication {
  ready(): Promise<void>;
  close(): Promise<void>;
  /** Whether this process has already printed the error. */
  isLogged?(error: Error): boolean;
  /** What ready waits for, of a framework that is Clutch's. */
  lifecycle?: { remaining: string[] };
  config: Record<string, unknown>;
  /** Of a framework that is Clutch's. */
  loggers?: { lostLines: number; close?(): void };
  coreLogger: { error(...args: unknown[]): void; info(...args: unknown[]): void };
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): boolean;
}

let heartbeat: Heartbeat | undefined;

type ChildState = 'booting' | 'running' | 'leaving';
type ApplicationClass<T> = (new (
  options: object,
) => T) & {
  create?(options: object): Promise<T>;
  warmUp?(): void;
};

/** Takes what the Master sends until the application has a messenger of its own. */
class Inbox {
  readonly #link: MasterLink;
  readonly #waiting = new Map<Control, (data: never) => void>();
  readonly #early: Envelope[] = [];
  readonly #listener = (message: Envelope): void => {
    const control = isControl(message) ? message.clutch : undefined;
    const resolve = control && this.#waiting.get(control);
    if (resolve) resolve(message.data as never);
    else if (control !== CONTROL.close && control !== CONTROL.batch) this.#early.push(message);
  };

  constructor(link: MasterLink) {
    this.#link = link;
    link.onMessage(this.#listener);
  }

  receive<T>(control: Control): Promise<T> {
    return new Promise((resolve) => this.#waiting.set(control, resolve));
  }

  /** Stops listening, and delivers what came for the app. */
  close(): void {
    this.#link.offMessage(this.#listener);
    for (const message of this.#early) this.#link.redeliver(message);
  }
}

export interface Booted<T> {
  app: T;
  boot: Pick<BootData, 'closeTimeout'> & { options: ChildOptions };
  link: MasterLink;
  /** A listening socket that another process has opened for this address, by its descriptor. */
  inherited?(address: ListenAddress): number | undefined;
  /** Runs the close hooks and ends the process with a code, no later than after `limit` milliseconds. */
  end(code: number, limit?: number): Promise<void>;
  /** Ends the process with the error that keeps it from serving. */
  fail(error: Error): Promise<void>;
}

/**
 * Boots an Agent or an app worker: loads the framework at once, and the app when the Master lets it.
 *
 * @param kind which class of the framework is constructed
 * @param run what the process does once its application is ready; rejects to fail the boot
 * @param meter counts the requests that the heartbeat reports
 */
export async function bootChild<T extends ChildApplication>(
  kind: 'Agent' | 'Application',
  run: (booted: Booted<T>) => Promise<void> | void,
  meter?: RequestCounters,
): Promise<void> {
  // A terminal sends its signals to the whole group; the Master decides when its children end.
  if (isMainThread) for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP']) process.on(signal, () => undefined);
  const isInspected = isMainThread && hasInspector(process.execArgv);
  if (isMainThread && !isInspected) process.debugPort = inspectorPort(process.pid);
  keepStandardOutput();
  const link = connectMaster();
  const inbox = new Inbox(link);
  const prepared = inbox.receive<PrepareData>(CONTROL.prepare);
  const booted = inbox.receive<BootData>(CONTROL.boot);
  let state = 'booting' as ChildState;
  let app: T | undefined;
  const leaveWhileBooting = (): void => {
    if (state !== 'booting') return;
    state = 'leaving';
    for (const task of app?.lifecycle?.remaining ?? []) {
      stderr().write(`pid ${process.pid} is ended while it boots; still running: ${withPosition(task)}\n`);
    }
    if (app) void closeAndExit(app, 0, BOOTING_CLOSE_LIMIT);
    else process.exit(0);
  };
  // The Master decides when: a signal to the whole process group must not end the Agent before the workers that need it.
  if (isMainThread) process.on('SIGTERM', () => link.send({ clutch: CONTROL.leaving }));
  link.onClose(leaveWhileBooting);
  link.onGone(leaveWhileBooting);
  link.send({ clutch: CONTROL.hello });
  // For a parent that attaches a debugger, as IDEs do.
  if (isInspected)
    link.send({ action: 'debug', data: { debugPort: process.debugPort, pid: process.pid }, to: 'parent' });
  try {
    const prepare = await prepared;
    link.token = prepare.token;
    const framework = await loadFramework<T>(prepare, kind);
    framework.warmUp?.();
    const boot = await booted;
    heartbeat = new Heartbeat(link, boot.statsInterval, meter);
    const { https: _, ...options } = boot.options;
    const created = await (framework.create?.(options) ?? new framework(options));
    app = created;
    heartbeat.lostLines = () => created.loggers?.lostLines ?? 0;
    link.onMessage((message) => void takeOrderedProfile(message, link));
    inbox.close();
    await app.ready();
    state = 'running';
    await run({
      app,
      boot,
      link,
      end: (code, limit) => closeAndExit(created, code, limit),
      fail: (error) => failBoot(link, error, created),
    });
  } catch (error) {
    // A boot that was interrupted has not failed.
    if (state !== 'leaving') await failBoot(link, toError(error), app);
  }
}

/** Nothing of Node's inspector is loaded before the Master asks for a profile. */
async function takeOrderedProfile(message: Envelope, link: MasterLink): Promise<void> {
  if (!isControl(message) || message.clutch !== CONTROL.profile) return;
  const { carryOut } = await import('../profile/take_profile.js');
  link.send({ clutch: CONTROL.profiled, data: await carryOut(message.data as ProfileOrder) });
}

async function loadFramework<T>(
  { framework, require: first }: PrepareData,
  kind: string,
): Promise<ApplicationClass<T>> {
  for (const file of first) require(file);
  const module = (await import(framework)) as Record<string, unknown> & { default?: Record<string, unknown> };
  const found = module[kind] ?? module.default?.[kind];
  if (typeof found === 'function') return found as ApplicationClass<T>;
  throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `the framework does not export ${kind}`, {
    where: framework,
    fix: 'A framework exports Agent and Application.',
  });
}

/** Sends the error to the Master, which prints it, runs the close hooks and ends the process. */
async function failBoot(link: MasterLink, error: Error, app?: ChildApplication): Promise<void> {
  const data = describeForScreen(error);
  if (app?.isLogged?.(error) && data.screen === undefined) data.stack = `${error.message} (its stack is printed above)`;
  link.send({ clutch: CONTROL.bootError, data });
  // A message that is on its way is lost if the process ends in the same event-loop iteration.
  await new Promise((resolve) => setImmediate(resolve));
  if (app) await closeAndExit(app, 1, BOOTING_CLOSE_LIMIT);
  else process.exit(1);
}

/** Runs the close hooks and ends the process, after `limit` milliseconds in the middle of one. */
async function closeAndExit(app: ChildApplication, code: number, limit?: number): Promise<never> {
  const exitCode = await closeApp(app, code, limit);
  // The logs are closed: the Master gets the final number of lost lines.
  heartbeat?.beat();
  // A message that is on its way is lost if the process ends in the same event-loop iteration.
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(exitCode);
}
