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

const proto = NodeResponse.prototype as ServerResponse & Internals;

/**
 * Node's response, which ends with one write: Node makes two before version 24, the second of them empty, and has the
 * socket gather them. Here the first waits for the second, and goes out in its place.
 */
export class OneWriteResponse<Request extends IncomingMessage = IncomingMessage>
  extends NodeResponse<Request>
  implements ReadyAnswer
{
  /** Whether `end` is running with a text that may turn out to be the only write. */
  #ending = false;
  #withTurn = false;
  #last: LastText | null = null;
  /** Whether the last text waits for the end of the turn. */
  #waits = false;

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
    const last = this.#last;
    if (!this.#waits || last === null) return;
    this.#waits = false;
    this.#last = null;
    (this as unknown as Internals).finished = true;
    proto._send.call(this, last.text, last.encoding, last.callback);
  }

  override end(...given: unknown[]): this {
    this.sendNow();
    const text = given[0];
    this.#ending = typeof text === 'string' && text !== '';
    try {
      return (super.end as (...given: unknown[]) => this)(...given);
    } finally {
      this.#ending = false;
      const last = this.#last;
      if (last !== null && !this.#waits) this.#sendLast(last, last.callback);
      // A server that closes its idle connections closes those whose response has finished.
      if (this.#waits) (this as unknown as Internals).finished = false;
    }
  }

  override write(...given: unknown[]): boolean {
    this.sendNow();
    return (super.write as (...given: unknown[]) => boolean)(...given);
  }

  /** Called by Node's `end` and `write` with what is to be sent. */
  _send(data: unknown, encoding?: Encoding, callback?: Callback, length?: number): boolean {
    if (!this.#ending) return proto._send.call(this, data, encoding, callback, length);
    const last = this.#last;
    if (last === null && typeof data === 'string' && data !== '' && !(this as unknown as Internals).chunkedEncoding) {
      this.#last = { text: data, encoding, callback };
      return true;
    }
    this.#ending = false;
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
        this.#waits = true;
        return true;
      }
      // Node has corked the socket for the two writes.
      if (socket.writableCorked === 1 && socket.writableLength === 0) socket.uncork();
    }
    this.#last = null;
    return proto._send.call(this, last.text, last.encoding, callback);
  }
}
