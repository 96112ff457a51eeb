import { isMainThread, parentPort } from 'node:worker_threads';
import { CONTROL, type Envelope, isControl } from '../../ipc/message.js';

type MessageListener = (message: Envelope, handle?: unknown) => void;

/** A child's connection to the Master: IPC for a process, a port for a thread. */
export interface MasterLink {
  /** Shows the Master that a message is the runtime's own, not one that the app has written. */
  token: string | undefined;
  send(message: Envelope): void;
  onMessage(listener: MessageListener): void;
  offMessage(listener: MessageListener): void;
  /** The Master asks this child to end. */
  onClose(listener: () => void): void;
  /** The Master is gone. */
  onGone(listener: () => void): void;
  /** Delivers a message once more, to listeners that have come since. */
  redeliver(message: Envelope): void;
}

export function connectMaster(): MasterLink {
  return isMainThread ? processLink() : threadLink(parentPort as NonNullable<typeof parentPort>);
}

/** Emits each message of a batch as if it had come alone. One that a listener throws at does not keep the others away. */
function takeApart(batch: Envelope): void {
  if (typeof batch !== 'object' || batch === null || !isControl(batch) || batch.clutch !== CONTROL.batch) return;
  for (const message of batch.data as Envelope[]) {
    try {
      process.emit('message', message, undefined);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

function processLink(): MasterLink {
  process.on('message', takeApart as never);
  return {
    token: undefined,
    send(message) {
      if (process.connected) process.send?.(signed(message, this.token), undefined, {}, () => undefined);
    },
    onMessage: (listener) => void process.on('message', listener as never),
    offMessage: (listener) => void process.off('message', listener as never),
    onClose: (listener) => void process.on('message', whenAskedToClose(listener) as never),
    // Ahead of the cluster module's own listener, which would end the process before its hooks have run.
    onGone: (listener) => void process.prependListener('disconnect', listener),
    redeliver: (message) => void process.emit('message', message, undefined),
  };
}

function threadLink(port: NonNullable<typeof parentPort>): MasterLink {
  return {
    token: undefined,
    send(message) {
      port.postMessage(signed(message, this.token));
    },
    onMessage: (listener) => void port.on('message', listener),
    offMessage: (listener) => void port.off('message', listener),
    onClose: (listener) => void port.on('message', whenAskedToClose(listener)),
    // A thread ends with its process.
    onGone: () => undefined,
    redeliver: (message) => void port.emit('message', message),
  };
}

function signed(message: Envelope, token: string | undefined): Envelope {
  return token !== undefined && isControl(message) ? Object.assign({ token }, message) : message;
}

function whenAskedToClose(listener: () => void): MessageListener {
  return (message) => {
    if (typeof message === 'object' && message !== null && isControl(message) && message.clutch === CONTROL.close)
      listener();
  };
}
