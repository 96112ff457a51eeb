/** What a handler knows of the request besides its data. */
export interface RequestContext {
  /** Aborts when nobody waits for the reply any more: the sender has given up, or has ended. */
  readonly signal: AbortSignal;
}

/** A request or stream that a handler works on. */
export class RunningRequest implements RequestContext {
  /** Who waits for the reply. */
  readonly senderPid: number | undefined;
  /** What is to happen when it is cancelled. */
  onCancel: (() => void) | undefined;
  /** What is to happen when more values of a stream may be sent. */
  onCredit: ((count: number) => void) | undefined;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(senderPid: number | undefined) {
    this.senderPid = senderPid;
  }

  /** Made at first use: most handlers ignore it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get isCancelled(): boolean {
    return this.#reason !== undefined;
  }

  cancel(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.onCancel?.();
  }
}
