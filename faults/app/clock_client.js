import { EventEmitter } from 'node:events';

/** A client that the Agent holds for all processes. */
export class ClockClient extends EventEmitter {
  async now() {
    return Date.now();
  }
}
