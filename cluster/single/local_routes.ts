import { EventEmitter } from 'node:events';
import { CONTROL, type ControlMessage, type Envelope, isControl, type Message } from '../../ipc/message.js';

/** What connects the messengers in one process; of the framework, which is imported late. */
export interface LocalBus {
  transport(side: 'master'): {
    send(message: Envelope): void;
    listen(deliver: (message: Envelope) => void): () => void;
  };
  /** Sends an event of the cluster to the Agent and the app. */
  announce(action: string, data: unknown): void;
  /** Gets what is sent to the parent process. */
  toParent: ((message: Envelope) => void) | undefined;
  readonly undeliveredMessages: number;
}

interface Events {
  message: [message: Message];
  control: [message: ControlMessage];
  queueFull: [receiver: { id: number }];
}

/** What the relay is in a cluster: the way from and to whoever holds the handle. */
export class LocalRoutes extends EventEmitter<Events> {
  readonly #transport: ReturnType<LocalBus['transport']>;

  constructor(bus: LocalBus) {
    super();
    this.#transport = bus.transport('master');
    this.#transport.listen((message) => {
      if (!isControl(message)) this.emit('message', message);
      else if (message.clutch === CONTROL.reply || message.clutch === CONTROL.undelivered)
        this.emit('control', message);
    });
    bus.toParent = toParent;
    process.on('message', (given: unknown) => {
      const message = given as Partial<Message> | null;
      if (typeof message?.action === 'string') this.send(message as Message);
    });
  }

  send(message: Envelope): void {
    if (message.to === 'parent') toParent(message);
    else this.#transport.send(message);
  }
}

/** To the process that has started this one, if it listens. */
export function toParent(message: Envelope): void {
  if (process.send && process.connected) process.send(message, undefined, {}, () => undefined);
}
