import type { SendHandle } from 'node:child_process';
import type { Worker } from 'node:cluster';

interface Handoff {
  message: object;
  /** The connection; Node closes it itself when the channel breaks while it is being sent. */
  handle: SendHandle & { close?(): void; fd?: number };
}

interface ClusterMessage {
  cmd?: string;
  act?: string;
  seq?: number;
  ack?: number;
}

/** Watches the connections that Node's round robin gives to one worker, until the worker has taken each. */
export class Handoffs {
  readonly #pending = new Map<number, Handoff>();

  constructor({ process: child }: Worker) {
    const send = child.send.bind(child) as (...args: unknown[]) => boolean;
    child.send = (message: unknown, ...rest: unknown[]): boolean => {
      const { cmd, act, seq } = (message ?? {}) as ClusterMessage;
      if (cmd === 'NODE_CLUSTER' && act === 'newconn' && seq !== undefined && rest[0]) {
        this.#pending.set(seq, { message: message as object, handle: rest[0] as Handoff['handle'] });
      }
      return send(message, ...rest);
    };
    child.on('internalMessage', ({ ack }: ClusterMessage) => {
      if (ack !== undefined) this.#pending.delete(ack);
    });
  }

  /**
   * Gives connections that a dead worker has not taken to other workers.
   *
   * Node forgets them: the client would wait until it gives up. The other worker's answer carries the number of the
   * first hand-off, so that Node's own bookkeeping ends as if nothing had happened.
   */
  rescue(others: Worker[]): void {
    let index = 0;
    for (const { message, handle } of this.#pending.values()) {
      if (handle.fd === undefined || handle.fd < 0) continue;
      const heir = others[index++ % others.length];
      if (heir?.isConnected()) heir.process.send(message, handle, undefined, () => undefined);
      // Nobody is there to answer it: the client should know at once.
      else handle.close?.();
    }
    this.#pending.clear();
  }
}
