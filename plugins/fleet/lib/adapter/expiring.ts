/** Writes between two looks for values that have expired. */
const SWEEP_INTERVAL = 1000;

/** Values in this process, each of which expires. */
export class Expiring<T> {
  readonly #values = new Map<string, { value: T; expires: number }>();
  #writes = 0;

  get(key: string): T | undefined {
    const found = this.#values.get(key);
    if (found && found.expires > performance.now()) return found.value;
    this.#values.delete(key);
    return undefined;
  }

  /** @param ttl milliseconds */
  set(key: string, value: T, ttl: number): void {
    const now = performance.now();
    this.#values.set(key, { value, expires: now + ttl });
    this.#writes += 1;
    if (this.#writes % SWEEP_INTERVAL !== 0) return;
    for (const [each, { expires }] of this.#values) if (expires <= now) this.#values.delete(each);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }
}
