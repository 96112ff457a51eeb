import net from 'node:net';
import { listenPrivately } from '../socket_path.js';
import type { ControlAnswer, ControlRequest } from './control_protocol.js';
import { removeStaleSocket } from './unix_socket.js';

/** Longest request in bytes. */
const REQUEST_LIMIT = 1024;

/** Answers the commands of `clutch status`, `reload`, `stop` and `workers` over a unix socket. */
export class ControlServer {
  readonly #server: net.Server;
  readonly #answer: (request: ControlRequest) => Promise<unknown>;

  constructor(answer: (request: ControlRequest) => Promise<unknown>) {
    this.#answer = answer;
    this.#server = net.createServer((socket) => this.#serve(socket));
    this.#server.unref();
  }

  /** @throws when the directory cannot be written, or another Master serves the same app */
  async listen(file: string): Promise<void> {
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
      void this.#reply(text).then((answer) => {
        if (!socket.destroyed) socket.end(`${JSON.stringify(answer)}\n`);
      });
    });
  }

  async #reply(text: string): Promise<ControlAnswer> {
    try {
      return { value: (await this.#answer(parseRequest(text))) ?? null };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }

  close(): void {
    this.#server.close();
  }
}

function parseRequest(text: string): ControlRequest {
  const { command, count } = JSON.parse(text) as { command?: unknown; count?: unknown };
  if (command === 'status' || command === 'reload' || command === 'stop') return { command };
  if (command === 'workers' && typeof count === 'number') return { command, count };
  throw new Error(`unknown command ${JSON.stringify(command)}`);
}
