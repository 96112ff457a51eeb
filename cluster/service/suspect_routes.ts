import { CONTROL, type ControlMessage } from '../../ipc/message.js';
import type { OverdueRequests } from '../protocol/protocol.js';

/** Routes that are remembered. */
const MOST = 20;

/** Routes whose requests have not got a response in time: workers trace the next ones, to say where they wait. */
export class SuspectRoutes {
  readonly #send: (message: ControlMessage) => void;
  #routes: string[] = [];

  /** @param send reaches every worker that is ready */
  constructor(send: (message: ControlMessage) => void) {
    this.#send = send;
  }

  /** For a worker that has become ready; undefined if there is nothing to trace. */
  get message(): ControlMessage | undefined {
    return this.#routes.length === 0 ? undefined : { clutch: CONTROL.suspects, data: this.#routes };
  }

  add({ requests }: OverdueRequests): void {
    const before = this.#routes.join();
    for (const { method, route, url, stack } of requests) {
      const name = `${method} ${route ?? url.split('?', 1)[0]}`;
      this.#routes = this.#routes.filter((each) => each !== name);
      // Where a traced one has waited is known.
      if (stack === undefined) this.#routes.push(name);
    }
    this.#routes = this.#routes.slice(-MOST);
    if (this.#routes.join() !== before) this.#send({ clutch: CONTROL.suspects, data: this.#routes });
  }
}
