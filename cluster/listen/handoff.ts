import type { SendHandle } from 'node:child_process';
import type { Worker } from 'node:cluster';
import { dispatchedConnection, onInternalReply } from './node_cluster.js';

/** A connection that the Master has given to a worker and that the worker has not taken yet. */
export interface Handoff {
  message: object;
  handle: SendHandle & { close(): void };
}

/** While a connection is on its way, Node may close it too early: when the channel it is sent on breaks. */
interface Guarded extends Handoff {
  close(): void;
  closeWanted: boolean;
}

/** Watches the connections that Node's round robin gives to one worker, until the worker has taken each. */
export class Handoffs {
  readonly #pending = new Map<number, Guarded>();
  readonly #send: (message: object, handle: SendHandle) => void;

  constructor({ process: child }: Worker) {
    const send = child.send.bind(child) as (...args: unknown[]) => boolean;
    child.send = (message: unknown, ...rest: unknown[]): boolean => {
      const seq = dispatchedConnection(message);
      if (seq !== undefined && rest[0]) {
        this.#guard(seq, { message: message as object, handle: rest[0] as Handoff['handle'] });
      }
      return send(message, ...rest);
    };
    this.#send = (message, handle) => child.send(message, handle, undefined, () => undefined);
    onInternalReply(child, (seq) => {
      const taken = this.#pending.get(seq);
      if (!taken) return;
      this.#pending.delete(seq);
      unguard(taken);
      if (taken.closeWanted) taken.handle.close();
    });
  }

  #guard(seq: number, { message, handle }: Handoff): void {
    const guarded: Guarded = {
      message,
      handle,
      closeWanted: false,
      close() {
        guarded.closeWanted = true;
      },
    };
    handle.close = guarded.close;
    this.#pending.set(seq, guarded);
  }

  /**
   * Gives the worker connections that were meant for another one.
   * Its answer carries the number of the first hand-off, so Node's own bookkeeping ends as if nothing had happened.
   */
  give(handoffs: Handoff[]): void {
    for (const { message, handle } of handoffs) this.#send(message, handle);
  }

  /** @returns what a dead worker has not taken. Node forgets these connections: their clients would wait for ever. */
  takeBack(): Handoff[] {
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const handoff of lost) unguard(handoff);
    return lost;
  }
}

/** Lets the connection be closed again, unless another worker's guard is on it by now. */
function unguard({ handle, close }: Guarded): void {
  if (handle.close === close) delete (handle as Partial<Handoff['handle']>).close;
}
