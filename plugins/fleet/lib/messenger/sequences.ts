/** Streams that are remembered: a few of each machine of the fleet. */
const LIMIT = 10_000;

/** The last packet that has arrived of each stream, which is what one Agent publishes on one subject. */
export class Sequences {
  /** The stream that was quiet for the longest time comes first. */
  readonly #last = new Map<string, number>();

  /** @returns how many packets were lost before this one; undefined if it, or a later one, has arrived before */
  note(stream: string, seq: number): number | undefined {
    const last = this.#last.get(stream);
    if (last !== undefined && seq <= last) return undefined;
    this.#last.delete(stream);
    this.#last.set(stream, seq);
    if (this.#last.size > LIMIT) this.#last.delete(this.#last.keys().next().value as string);
    return last === undefined ? 0 : seq - last - 1;
  }

  /** @returns the last packets of streams whose names begin with `prefix` */
  beginningWith(prefix: string): Record<string, number> {
    return Object.fromEntries([...this.#last].filter(([stream]) => stream.startsWith(prefix)));
  }
}
