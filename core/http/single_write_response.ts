import type { IncomingMessage } from 'node:http';
import { isChunked, SEND, send, setFinished } from './node_internals.js';
import { type PendingResponse, responseBatch } from './response_batch.js';

const { ServerResponse: NodeResponse } = process.getBuiltinModule('node:http');

type Callback = (() => void) | null | undefined;
type Encoding = BufferEncoding | null | undefined;

/** The last text of a response, between `end` and the socket. */
interface LastText {
  text: string;
  encoding: Encoding;
  callback: Callback;
}

/**
 * `open`: no text is held back. `ending`: `end` is running with a text that may turn out to be the only write.
 * `waiting`: the text is held back until the end of the event-loop iteration.
 */
type State = 'open' | 'ending' | 'waiting';

/**
 * Node's response, ended with one write. Before version 24 Node makes two, the second of them empty, and has the socket
 * combine them; here the first is held back and goes out in place of the second.
 */
export class SingleWriteResponse<Request extends IncomingMessage = IncomingMessage>
  extends NodeResponse<Request>
  implements PendingResponse
{
  #state: State = 'open';
  /** Whether `endInBatch` is running. */
  #mayWait = false;
  #last: LastText | null = null;

  /**
   * Ends the response, and sends it together with the other responses of this event-loop iteration if there are many.
   * Until then its headers count as sent and its body does not; a later `end` or `write` sends it first.
   */
  endInBatch(text: string): void {
    this.#mayWait = true;
    try {
      this.end(text);
    } finally {
      this.#mayWait = false;
    }
  }

  sendNow(): void {
    if (this.#state !== 'waiting') return;
    const last = this.#last as LastText;
    this.#state = 'open';
    this.#last = null;
    setFinished(this, true);
    send(this, last.text, last.encoding, last.callback);
  }

  override end(...given: unknown[]): this {
    this.sendNow();
    const text = given[0];
    if (typeof text === 'string' && text !== '') this.#state = 'ending';
    try {
      return (super.end as (...given: unknown[]) => this)(...given);
    } finally {
      if (this.#state === 'ending') this.#endWithoutSecondWrite();
      // A server that closes its idle connections must not close this one yet.
      if (this.#isWaiting()) setFinished(this, false);
    }
  }

  /** Node 24 makes one write, and a text that is not for the socket yet is one write as well. */
  #endWithoutSecondWrite(): void {
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

  [SEND](data: unknown, encoding?: Encoding, callback?: Callback, length?: number): boolean {
    if (this.#state !== 'ending') return send(this, data, encoding, callback, length);
    const last = this.#last;
    if (last === null && typeof data === 'string' && data !== '' && !isChunked(this)) {
      this.#last = { text: data, encoding, callback };
      return true;
    }
    this.#state = 'open';
    if (last !== null && data === '') return this.#sendLast(last, callback);
    this.#last = null;
    if (last !== null) send(this, last.text, last.encoding, last.callback);
    return send(this, data, encoding, callback, length);
  }

  #sendLast(last: LastText, callback: Callback): boolean {
    const { socket } = this;
    if (socket !== null) {
      if (this.#mayWait && responseBatch.add(this)) {
        last.callback = callback;
        this.#state = 'waiting';
        return true;
      }
      // Node has corked the socket for the two writes.
      if (socket.writableCorked === 1 && socket.writableLength === 0) socket.uncork();
    }
    this.#last = null;
    return send(this, last.text, last.encoding, callback);
  }
}
