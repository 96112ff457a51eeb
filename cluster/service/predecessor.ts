import { toError } from '../../errors.js';
import type { ListeningSocket } from '../listen/inherited_sockets.js';

/** Set in a Master that is to replace another: what it inherits, as JSON. */
export const UPGRADE = 'CLUTCH_UPGRADE';

/** Set below the init that `clutch start` becomes as process 1: the container ends with its Master. */
export const INIT = 'CLUTCH_INIT';

/** What the two Masters send to each other; the old one is the parent of the new one. */
export type UpgradeMessage = { upgrade: 'ready' | 'take' | 'serving' } | { upgrade: 'failed'; reason: string };

export interface Inheritance {
  sockets: ListeningSocket[];
  /** The port that was chosen where the option is 0. */
  port: number | undefined;
}

/** The Master that this one replaces. It serves until this one takes its place. */
export class Predecessor {
  readonly inheritance: Inheritance;

  constructor(inheritance: Inheritance) {
    this.inheritance = inheritance;
  }

  /** Resolves when this Master may take over control socket, pid file and admin listener: the old one has let go, or is gone. */
  async takeOver(): Promise<void> {
    const released = new Promise<void>((resolve) => {
      process.once('disconnect', resolve);
      process.on('message', (message: Partial<UpgradeMessage> | undefined) => {
        if (message?.upgrade === 'take') resolve();
      });
    });
    if (!process.connected) return;
    void send({ upgrade: 'ready' });
    await released;
  }

  /** The old Master may drain and end. */
  serving(): void {
    void send({ upgrade: 'serving' });
  }

  /** Resolves when the old Master has been sent why this one does not become ready. */
  failed(reason: unknown): Promise<void> {
    return send({ upgrade: 'failed', reason: typeof reason === 'string' ? reason : toError(reason).message });
  }
}

function send(message: UpgradeMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, {}, () => resolve());
    else resolve();
  });
}

/**
 * @param env without the variable afterwards
 * @returns the Master that has started this one to be replaced by it
 */
export function predecessorFrom(env: NodeJS.ProcessEnv = process.env): Predecessor | undefined {
  const text = env[UPGRADE];
  delete env[UPGRADE];
  return text === undefined ? undefined : new Predecessor(JSON.parse(text) as Inheritance);
}
