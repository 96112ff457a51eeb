import { lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import { CONTROL, type ControlMessage } from '../../ipc/message.js';
import type { InheritedSockets } from './inherited_sockets.js';

/**
 * Removes the file of a unix socket that nobody serves any more: its process was killed.
 *
 * @throws when the file is no socket, or somebody serves it
 */
export async function removeStaleSocket(file: string): Promise<void> {
  if (process.platform === 'win32') return;
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isSocket()) throw new Error(`${file} is there already and is no socket`);
  if (await isServed(file)) throw new Error(`another process serves ${file}`);
  rmSync(file, { force: true });
}

function isServed(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Clears the way for workers that are going to listen on unix sockets: one process must, or they would remove each other's. */
export class PreparedSockets {
  /** What was wrong with each path. */
  readonly #prepared = new Map<string, Promise<string | undefined>>();
  readonly #inherited: InheritedSockets;

  constructor(inherited: InheritedSockets) {
    this.#inherited = inherited;
  }

  /** Once for each path: afterwards the file is that of our own workers. */
  async prepare(file: string, child: { send(message: ControlMessage): unknown }): Promise<void> {
    let prepared = this.#prepared.get(file);
    if (this.#inherited.hasPath(file)) prepared = Promise.resolve(undefined);
    if (!prepared) {
      prepared = removeStaleSocket(file).then(
        () => undefined,
        (error: Error) => error.message,
      );
      this.#prepared.set(file, prepared);
    }
    child.send({ clutch: CONTROL.prepareSocket, data: await prepared });
  }
}
