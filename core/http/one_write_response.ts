import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerTurn, type ReadyAnswer } from './answer_turn.js';

const { ServerResponse: NodeResponse } = process.getBuiltinModule('node:http');

type Callback = (() => void) | null | undefined;
type Encoding = BufferEncoding | null | undefined;

/** The last text of a response, on its way from `end` to the socket. */
interface LastText {
  text: string;
  encoding: Encoding;
  callback: Callback;
}

interface Internals {
  chunkedEncoding: boolean;
  finished: boolean;
  _send(data: unknown, encoding?: Encoding, callback?: Callback, length?: number): boolean;
}

/**
 * `open`: nothing of the last text is held. `ending`: `end` is running with a text that may turn out to be the only write.
 * `waiting`: the text is held until the end of the turn.
 */
type State = 'open' | 'ending' | 'waiting';

const proto = NodeResponse.prototype as ServerResponse & Internals;

/**
 * Node's response, which ends with one write: Node makes two before version 24, the second of them empty, and has the
 * socket gather them. Here the first waits for the second, and goes out in its place.
 */
export class OneWriteResponse<Request extends IncomingMessage = IncomingMessage>
  extends NodeResponse<Request>
  implements ReadyAnswer
{
  #state: State = 'open';
  /** Whether `end` was called by `endWithTurn`. */
  #withTurn = false;
  #last: LastText | null = null;

  /**
   * Ends the response, and writes it at the end of this turn of the event loop, with the other answers of the turn.
   * Until then it is one whose headers are sent and whose body is not: what ends it, or writes to it, comes after.
   */
  endWithTurn(text: string): void {
    this.#withTurn = true;
    try {
      this.end(text);
    } finally {
      this.#withTurn = false;
    }
  }

  sendNow(): void {
    if (this.#state !== 'waiting') return;
    const last = this.#last as LastText;
    this.#state = 'open';
    this.#last = null;
    (this as unknown as Internals).finished = true;
    proto._send.call(this, last.text, last.encoding, last.callback);
  }

  override end(...given: unknown[]): this {
    this.sendNow();
    const text = given[0];
    if (typeof text === 'string' && text !== '') this.#state = 'ending';
    try {
      return (super.end as (...given: unknown[]) => this)(...given);
    } finally {
      if (this.#state === 'ending') this.#endOpen();
      // A server that closes its idle connections closes those whose response has finished.
      if (this.#isWaiting()) (this as unknown as Internals).finished = false;
    }
  }

  /** No second write came: so it is from Node 24 on, and when the first was not for the socket. */
  #endOpen(): void {
    this.#state = 'open';
    const last = this.#last;
    if (last !== null) this.#sendLast(last, last.callback);
  }

  #isWaiting(): boolean {
    return this.#state === 'waiting';
  }

  override write(...given: unknown[]): boolean {
    this.sendNow();
    return (super.write as (...given: unknown[]) => boolean)(...given);
  }

  /** Called by Node's `end` and `write` with what is to be sent. */
  _send(data: unknown, encoding?: Encoding, callback?: Callback, length?: number): boolean {
    if (this.#state !== 'ending') return proto._send.call(this, data, encoding, callback, length);
    const last = this.#last;
    if (last === null && typeof data === 'string' && data !== '' && !(this as unknown as Internals).chunkedEncoding) {
      this.#last = { text: data, encoding, callback };
      return true;
    }
    this.#state = 'open';
    if (last !== null && data === '') return this.#sendLast(last, callback);
    this.#last = null;
    if (last !== null) proto._send.call(this, last.text, last.encoding, last.callback);
    return proto._send.call(this, data, encoding, callback, length);
  }

  #sendLast(last: LastText, callback: Callback): boolean {
    const { socket } = this;
    if (socket !== null) {
      if (this.#withTurn && answerTurn.join(this)) {
        last.callback = callback;
        this.#state = 'waiting';
        return true;
      }
      // Node has corked the socket for the two writes.
      if (socket.writableCorked === 1 && socket.writableLength === 0) socket.uncork();
    }
    this.#last = null;
    return proto._send.call(this, last.text, last.encoding, callback);
  }
}
