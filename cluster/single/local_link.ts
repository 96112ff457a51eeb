import { EventEmitter } from 'node:events';
import { CONTROL, type Envelope, isControl } from '../../ipc/message.js';
import type { MasterLink } from '../child/master_link.js';

/** What an app worker has in place of a channel when the Master is the same process. */
export class LocalLink implements MasterLink {
  readonly token = undefined;
  readonly #toWorker = new EventEmitter();
  readonly #receive: (message: Envelope) => void;

  /** @param receive gets what the worker sends */
  constructor(receive: (message: Envelope) => void) {
    this.#receive = receive;
  }

  send(message: Envelope): void {
    this.#receive(message);
  }

  /** To the worker. */
  deliver(message: Envelope): void {
    this.#toWorker.emit('message', message);
  }

  onMessage(listener: (message: Envelope) => void): void {
    this.#toWorker.on('message', listener);
  }

  offMessage(listener: (message: Envelope) => void): void {
    this.#toWorker.off('message', listener);
  }

  onClose(listener: () => void): void {
    this.onMessage((message) => {
      if (isControl(message) && message.clutch === CONTROL.close) listener();
    });
  }

  /** They end together. */
  onGone(): void {}

  redeliver(message: Envelope): void {
    this.deliver(message);
  }
}
