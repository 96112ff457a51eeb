/**
 * Milliseconds that never go back, and go by at least as fast as either of the two clocks of the machine: the monotonic one stands
 * still while a machine is suspended, the wall clock jumps. A lease may end too early by it, never too late.
 */
export class SafeClock {
  readonly #monotonic: () => number;
  readonly #wall: () => number;
  #lastMonotonic: number;
  #lastWall: number;
  #now = 0;

  constructor(monotonic: () => number = () => performance.now(), wall: () => number = Date.now) {
    this.#monotonic = monotonic;
    this.#wall = wall;
    this.#lastMonotonic = monotonic();
    this.#lastWall = wall();
  }

  now(): number {
    const monotonic = this.#monotonic();
    const wall = this.#wall();
    this.#now += Math.max(monotonic - this.#lastMonotonic, wall - this.#lastWall, 0);
    this.#lastMonotonic = monotonic;
    this.#lastWall = wall;
    return this.#now;
  }

  after(delay: number, ring: () => void): () => void {
    const timer = setTimeout(ring, delay);
    return () => clearTimeout(timer);
  }
}
