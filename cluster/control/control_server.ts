import net from 'node:net';
import path from 'node:path';
import { ERROR_CODES, type ErrorCode, toError } from '../../errors.js';
import { type ControlPeer, type ControlReply, controlPath } from '../../ipc/control_socket.js';
import { listenPrivately } from '../../ipc/socket_path.js';
import { maskText } from '../../output/secrets.js';
import { removeStaleSocket } from '../listen/unix_socket.js';
import type { ProfileRequest, Profiles } from '../profile/profiles.js';
import { PROFILE_KINDS } from '../protocol/profile_order.js';
import type { ControlRequest } from './control_client.js';
import type { ClusterStatus } from './status.js';

/** Longest request in bytes. */
const REQUEST_LIMIT = 64 * 1024;

/** Milliseconds that a command may wait for a schedule to run: a day. */
const SCHEDULE_LIMIT = 24 * 60 * 60 * 1000;
/** Milliseconds that the plugins fleet and jobs may take: they ask their servers. */
const PLUGIN_LIMIT = 10_000;

export interface UpgradeRequest {
  /** The Node that runs the new Master. */
  execPath: string;
  /** Milliseconds until it must be ready; without it any time. */
  timeout: number | undefined;
  /** Aborted when nobody waits for the new Master any more. */
  signal: AbortSignal;
  /** For the records of deaths. */
  asker: string;
}

/** What the commands control. */
export interface Controlled {
  readonly cluster: {
    status(): ClusterStatus;
    close(asker: string): Promise<void>;
    readonly messenger: {
      request(target: 'agent', action: string, data: unknown, options: { timeout: number }): Promise<unknown>;
    };
  };
  readonly operations: {
    reload(options: { envFile?: string | undefined; asker: string }): Promise<void>;
    environmentChanges(file: string): unknown;
    scale(workers: number, asker: string): Promise<void>;
    set(options: [name: string, value: string][], how: { dryRun: boolean; asker: string }): Promise<unknown>;
  };
  readonly profiles: Profiles;
  /** @returns the data of one of the page's views */
  view(name: string): Promise<unknown>;
  upgrade(wanted: UpgradeRequest): Promise<number>;
}

/** Runs the commands of `clutch status`, `reload`, `stop`, `workers`, `schedule` and `jobs` over a unix socket. */
export class ControlServer {
  readonly #server = net.createServer((socket) => this.#serve(socket)).unref();
  readonly #controlled: Controlled;
  readonly #log: Pick<Console, 'info' | 'error'>;
  #closed = false;

  constructor(controlled: Controlled, log: Pick<Console, 'info' | 'error'>) {
    this.#controlled = controlled;
    this.#log = log;
  }

  /** Without it the service goes on: a full disk must not take it down, nor another Master that serves the same app. */
  async open(baseDir: string): Promise<void> {
    this.#closed = false;
    try {
      await this.#listen(controlPath(baseDir));
      if (this.#closed) this.#server.close();
    } catch (error) {
      this.#log.error(`no control socket, commands such as \`clutch status\` will not work: ${toError(error).message}`);
    }
  }

  close(): void {
    this.#closed = true;
    this.#server.close();
  }

  async #listen(file: string): Promise<void> {
    await removeStaleSocket(file);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.once('listening', resolve);
      listenPrivately(this.#server, { path: file });
    });
  }

  #serve(socket: net.Socket): void {
    let text = '';
    let asked = false;
    socket.setEncoding('utf8');
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (asked || text.length > REQUEST_LIMIT) {
        socket.destroy();
        return;
      }
      if (!text.endsWith('\n')) return;
      asked = true;
      socket.setTimeout(0);
      const gone = new AbortController();
      socket.once('close', () => gone.abort());
      void this.#reply(text, gone.signal).then((reply) => {
        if (!socket.destroyed) socket.end(`${JSON.stringify(reply)}\n`);
      });
    });
  }

  /** @param gone aborted when the client has left */
  async #reply(text: string, gone: AbortSignal): Promise<ControlReply> {
    try {
      return { value: (await this.#run(parseRequest(text), askerOf(text), gone)) ?? null };
    } catch (error) {
      return errorReply(toError(error));
    }
  }

  async #run(request: ControlRequest, asker: string, gone: AbortSignal): Promise<unknown> {
    const { cluster, operations } = this.#controlled;
    switch (request.command) {
      case 'status':
        return cluster.status();
      case 'reload':
        return operations.reload({ envFile: request.envFile, asker });
      case 'environment':
        return operations.environmentChanges(request.file);
      case 'workers':
        return operations.scale(request.count, asker);
      case 'set':
        return operations.set(request.options, { dryRun: request.dryRun, asker });
      case 'view':
        return this.#controlled.view(request.name);
      case 'profile':
        return this.#controlled.profiles.take(request.request);
      case 'upgrade':
        return this.#controlled.upgrade({ execPath: request.execPath, timeout: request.timeout, asker, signal: gone });
      case 'schedule':
        return cluster.messenger.request('agent', 'clutch-schedule', request.request, {
          timeout: SCHEDULE_LIMIT,
        });
      case 'jobs':
        return cluster.messenger.request('agent', 'clutch-jobs', request.request, { timeout: PLUGIN_LIMIT });
      case 'fleet':
        return cluster.messenger.request('agent', 'clutch-fleet', request.request, { timeout: PLUGIN_LIMIT });
      case 'stop':
        this.#log.info('stopped through the control socket, closing');
        // The reply is sent first.
        setImmediate(() => void cluster.close(asker).then(() => process.exit(0)));
        return process.pid;
    }
  }
}

function errorReply(error: Error): ControlReply {
  const message = maskText(error.message);
  // Errors of the Agent come as messages, so that the text is what all have.
  const [prefix = '', code = ''] = /^(ERR_CLUTCH_\w+): /.exec(message) ?? [];
  return Object.hasOwn(ERROR_CODES, code)
    ? { code: code as ErrorCode, error: message.slice(prefix.length) }
    : { error: message };
}

/** @returns who sends a request, as the records of deaths name it */
function askerOf(text: string): string {
  const { command, peer } = JSON.parse(text) as { command?: unknown; peer?: Partial<ControlPeer> };
  const who = typeof peer?.user === 'string' ? ` of ${peer.user.slice(0, 100)}, pid ${Number(peer.pid)}` : '';
  return `clutch ${String(command).slice(0, 100)}${who}`;
}

function parseRequest(text: string): ControlRequest {
  const { command, count, name, options, dryRun, request, execPath, timeout, envFile, file } = JSON.parse(
    text,
  ) as Record<string, unknown>;
  if (command === 'status' || command === 'stop') return { command };
  if (command === 'reload') return typeof envFile === 'string' ? { command, envFile } : { command };
  if (command === 'environment' && typeof file === 'string') return { command, file };
  if (command === 'workers' && typeof count === 'number') return { command, count };
  if (command === 'set' && isTextPairs(options)) return { command, options, dryRun: dryRun === true };
  if (command === 'upgrade' && typeof execPath === 'string') {
    return isTimeout(timeout) ? { command, execPath, timeout } : { command, execPath };
  }
  if (command === 'schedule' || command === 'jobs' || command === 'fleet') return { command, request };
  if (command === 'view' && typeof name === 'string') return { command, name };
  if (command === 'profile' && isProfileRequest(request)) return { command, request };
  throw new Error(`unknown command ${JSON.stringify(command)}`);
}

function isTimeout(given: unknown): given is number {
  return typeof given === 'number' && given > 0 && given < 2 ** 31;
}

function isProfileRequest(given: unknown): given is ProfileRequest {
  const { pid, kind, seconds, output } = (given ?? {}) as Partial<Record<keyof ProfileRequest, unknown>>;
  return (
    typeof pid === 'number' &&
    Object.hasOwn(PROFILE_KINDS, String(kind)) &&
    (seconds === undefined || typeof seconds === 'number') &&
    (output === undefined || (typeof output === 'string' && path.isAbsolute(output)))
  );
}

function isTextPairs(given: unknown): given is [string, string][] {
  const isText = (each: unknown): boolean => typeof each === 'string';
  return Array.isArray(given) && given.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isText));
}
