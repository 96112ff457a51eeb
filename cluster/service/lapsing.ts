/** Something costly that is made when it is first needed, shared, and closed some time after the last use. */
export class Lapsing<Value extends { close(): void }> {
  readonly #make: () => Promise<Value>;
  readonly #lapse: number;
  #value: Promise<Value> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param lapse milliseconds after the last use */
  constructor(make: () => Promise<Value>, lapse: number) {
    this.#make = make;
    this.#lapse = lapse;
  }

  /** @throws what making it has thrown; the next use makes it again */
  use(): Promise<Value> {
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.close(), this.#lapse).unref();
    if (!this.#value) {
      const value = this.#make();
      this.#value = value;
      value.catch(() => {
        if (this.#value === value) this.#value = undefined;
      });
    }
    return this.#value;
  }

  close(): void {
    this.#value?.then(
      (value) => value.close(),
      () => undefined,
    );
    this.#value = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
