import { ClutchError, type ErrorCode, toError } from '../../../../errors.js';
import { maskText } from '../../../../output/secrets.js';

interface Server {
  /** Of the errors. */
  code: ErrorCode;
  name: 'Redis' | 'NATS';
  /** The config whose `url` and `client` say where it is: `config.fleet`. */
  config: string;
  url: string | undefined;
  client: Record<string, unknown>;
}

const DEFAULT_URL = { Redis: 'redis://127.0.0.1:6379', NATS: 'nats://127.0.0.1:4222' } as const;

/** Options of the clients that say where the server is, and are used instead of the url. */
const PLACES = ['nodes', 'sentinels', 'servers', 'host', 'port', 'path'];

/** Errors of the clients are short, such as `timeout`: these say which server it is, and what to do. */
export class ServerErrors {
  readonly #server: Server;
  readonly #where: string;
  /** Why there is no connection, for calls that fail meanwhile. */
  #lastCause: unknown;

  constructor(server: Server) {
    this.#server = server;
    const { url, client, config, name } = server;
    const option = PLACES.find((key) => key in client);
    if (option !== undefined) this.#where = `${config}.client.${option}`;
    else if (url === undefined) this.#where = `${DEFAULT_URL[name]}, since ${config}.url is not set`;
    else this.#where = `${config}.url is ${shownUrl(url)}`;
  }

  /** There is a connection. */
  connected(): void {
    this.#lastCause = undefined;
  }

  /** @param cause of a connection that failed; that of the last one if it is not given */
  noConnection(cause: unknown = this.#lastCause): ClutchError {
    this.#lastCause = cause;
    const { code, name, config } = this.#server;
    const reason = cause === undefined ? '' : `: ${reasonOf(cause)}`;
    return new ClutchError(code, `there is no connection to ${name}${reason}`, {
      where: this.#where,
      fix: `Start the server, or correct ${config}; connections are tried until there is one.`,
      cause,
    });
  }

  /** @returns an error of ours as it is */
  failed(cause: unknown): ClutchError {
    if (cause instanceof ClutchError) return cause;
    const { code, name } = this.#server;
    return new ClutchError(code, `a call to ${name} failed: ${reasonOf(cause)}`, { where: this.#where, cause });
  }

  /**
   * @param limit milliseconds
   * @param fix what to do, since nobody knows whether the call was done
   */
  late(limit: number, { code = this.#server.code, fix }: { code?: ErrorCode; fix?: string } = {}): ClutchError {
    const what = `${this.#server.name} has sent no reply in ${limit} ms`;
    return new ClutchError(code, what, { where: this.#where, ...(fix !== undefined && { fix }) });
  }

  /** Waits for `call`, for `limit` milliseconds at most. */
  async inTime<T>(limit: number, call: Promise<T>, late?: { code?: ErrorCode; fix?: string }): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const end = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.late(limit, late)), limit);
    });
    try {
      return await Promise.race([call, end]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A token of NATS is a user without a password, so nothing before the host is shown. */
function shownUrl(url: string): string {
  return maskText(url.replace(/(?<=\/\/).*@/, '***@').replace(/\?.*/, '?***'));
}

/** Node's error for a name with several addresses has no message of its own. */
function reasonOf(cause: unknown): string {
  const { message, name, code } = toError(cause) as Error & { code?: unknown };
  return maskText(message || (typeof code === 'string' ? code : name));
}
