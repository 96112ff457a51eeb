import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bucket, Entry } from '../../../plugins/fleet/lib/adapter/adapter.js';
import { Candidate, type LeaseClock } from '../../../plugins/fleet/lib/lease/candidate.js';
import { leaseTimes } from '../../../plugins/fleet/lib/lease/lease_machine.js';
import { SafeClock } from '../../../plugins/fleet/lib/lease/safe_clock.js';

const SCHEDULES = Number(process.env['CLUTCH_LEASE_SCHEDULES'] ?? 10_000);
const TTL = 1000;
const NO_REPLY = new Error('no reply');

/** mulberry32: the seed of a schedule that fails says how to run it again. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Event {
  at: number;
  order: number;
  run: () => void;
  /** Whether it resolves promises, which go on before the next event. */
  settles: boolean;
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** True time, and what happens at which moment: a binary heap. */
class World {
  now = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  at(time: number, run: () => void, settles = false): void {
    const heap = this.#heap;
    const event = { at: Math.max(time, this.now), order: this.#order++, run, settles };
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[index] = heap[parent] as Event;
      index = parent;
    }
    heap[index] = event;
  }

  #take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[index] = heap[child] as Event;
      index = child;
    }
    heap[index] = last;
    return first;
  }

  /** @returns false after the last event */
  async step(): Promise<boolean> {
    const event = this.#take();
    if (!event) return false;
    this.now = event.at;
    event.run();
    // From a reply to the next call or report there are some five promises.
    if (event.settles) for (let tick = 0; tick < 8; tick++) await undefined;
    return true;
  }
}

/** A server with a clock of its own speed, behind a network that is slow and loses requests or replies. */
class Server {
  readonly #entries = new Map<string, Entry & { expires: number }>();
  #revision = 0;
  readonly world: World;
  readonly #speed: number;

  constructor(world: World, speed: number) {
    this.world = world;
    this.#speed = speed;
  }

  #get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.expires > this.world.now * this.#speed ? entry : undefined;
  }

  get(key: string): Entry | undefined {
    const entry = this.#get(key);
    return entry && { ...entry };
  }

  put(key: string, value: string, revision: number): number | undefined {
    if ((this.#get(key)?.revision ?? 0) !== revision) return undefined;
    this.#revision += 1;
    this.#entries.set(key, { value, revision: this.#revision, expires: this.world.now * this.#speed + TTL });
    return this.#revision;
  }

  remove(key: string, revision: number): void {
    if (this.#get(key)?.revision === revision) this.#entries.delete(key);
  }
}

/** A machine: its clocks run at their own speed and jump, its process stands still, its network is cut. */
class Machine {
  readonly candidate: Candidate;
  readonly clock: SafeClock;
  readonly reported: string[] = [];
  #pausedUntil = 0;
  #cutUntil = 0;
  #wallJump = 0;

  readonly name: string;
  readonly server: Server;
  readonly draw: () => number;

  constructor(name: string, server: Server, draw: () => number, speed: number) {
    this.name = name;
    this.server = server;
    this.draw = draw;
    const { world } = server;
    // A machine that was suspended has a monotonic clock that does not know it; jumps of the wall clock go both ways.
    this.clock = new SafeClock(
      () => world.now * speed,
      () => world.now * speed + this.#wallJump,
    );
    const clock: LeaseClock = {
      now: () => this.clock.now(),
      after: (delay, ring) => {
        let stopped = false;
        world.at(world.now + delay / speed, () => {
          if (!stopped) this.awake(() => void (stopped || ring()));
        });
        return () => {
          stopped = true;
        };
      },
    };
    this.candidate = new Candidate(this.#bucket(), {
      name: 'lead',
      member: name,
      times: leaseTimes(TTL),
      clock,
      handlers: {
        onElected: (token) => this.reported.push(`elected ${token}`),
        onLost: (reason) => this.reported.push(`lost ${reason}`),
      },
      onError: () => {},
    });
  }

  /** Runs it when the process does not stand still. */
  awake(run: () => void): void {
    const { world } = this.server;
    if (world.now >= this.#pausedUntil) run();
    else world.at(this.#pausedUntil, () => this.awake(run), true);
  }

  pause(time: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.server.world.now + time);
  }

  cut(time: number): void {
    this.#cutUntil = Math.max(this.#cutUntil, this.server.world.now + time);
  }

  jump(time: number): void {
    this.#wallJump += time;
  }

  #bucket(): Bucket {
    const { server } = this;
    return {
      get: (key) => this.#call(() => server.get(key)),
      put: (key, value, revision) => this.#call(() => server.put(key, value, revision)),
      remove: (key, revision) => this.#call(() => server.remove(key, revision)),
      entries: async () => [],
    };
  }

  /** A request that arrives late or never, a reply that arrives late or never; the client gives up after half the lease. */
  #call<T>(run: () => T): Promise<T> {
    const { world } = this.server;
    const delay = (): number => (this.draw() < 0.9 ? this.draw() * 20 : this.draw() * 3 * TTL);
    const isLost = (): boolean => world.now < this.#cutUntil || this.draw() < 0.03;
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => world.at(world.now + TTL / 2, () => this.awake(() => reject(NO_REPLY)), true);
      const request = delay();
      const response = delay();
      const lostAtOnce = isLost();
      if (lostAtOnce || request + response > TTL / 2) giveUp();
      if (lostAtOnce) return;
      world.at(world.now + request, () => {
        const reply = run();
        if (!isLost()) world.at(world.now + response, () => this.awake(() => resolve(reply)), true);
        else if (request + response <= TTL / 2) giveUp();
      });
    });
  }
}

interface Outcome {
  elections: number;
  losses: number;
}

async function simulate(seed: number): Promise<Outcome> {
  const draw = random(seed);
  const world = new World();
  const speed = (): number => 0.9 + draw() * 0.2;
  const server = new Server(world, speed());
  const machines = Array.from(
    { length: 2 + Math.floor(draw() * 3) },
    (_, index) => new Machine(`m${index}`, server, draw, speed()),
  );
  const end = 6 * TTL;
  for (const machine of machines) {
    world.at(draw() * TTL, () => machine.candidate.start());
    for (let faults = Math.floor(draw() * 5); faults > 0; faults--) {
      const kind = draw();
      const length = draw() * 4 * TTL;
      world.at(draw() * end, () => {
        if (kind < 0.4) machine.pause(length);
        else if (kind < 0.7) machine.cut(length);
        else if (kind < 0.9) machine.jump((draw() - 0.5) * 20 * TTL);
        else void machine.candidate.close().catch(() => undefined);
      });
    }
  }
  let lastToken = 0;
  let leader: string | undefined;
  while (world.now < end && (await world.step())) {
    // A process that stands still asks nothing, but what it believes when it wakes is what the clock says then.
    const valid = machines.flatMap(({ name, candidate }) => {
      const { token } = candidate;
      return token === undefined ? [] : [{ name, token }];
    });
    assert.ok(valid.length <= 1, `seed ${seed}: two leaders at ${world.now}: ${JSON.stringify(valid)}`);
    const [current] = valid;
    if (!current) continue;
    assert.ok(current.token >= lastToken, `seed ${seed}: token ${current.token} after ${lastToken}`);
    if (current.token === lastToken) assert.equal(current.name, leader, `seed ${seed}: one token for two machines`);
    lastToken = current.token;
    leader = current.name;
  }
  const reported = machines.flatMap((machine) => machine.reported);
  return {
    elections: reported.filter((what) => what.startsWith('elected')).length,
    losses: reported.filter((what) => what.startsWith('lost')).length,
  };
}

test(`never two leaders with valid tokens, in ${SCHEDULES} schedules of pauses, partitions and clock skews`, async (t) => {
  const total = { elections: 0, losses: 0 };
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const { elections, losses } = await simulate(seed);
    total.elections += elections;
    total.losses += losses;
  }
  t.diagnostic(`${total.elections} elections, ${total.losses} losses`);
  // The schedules are worth something: leaders are elected and lost in them.
  assert.ok(total.elections > SCHEDULES, `${total.elections} elections`);
  assert.ok(total.losses > SCHEDULES, `${total.losses} losses`);
});

test('without the margin the same schedules show two leaders: the simulation sees what it looks for', async () => {
  // A lease of which the holder thinks that it lasts 1.3 times as long as it does.
  const machines = async (seed: number): Promise<boolean> => {
    const world = new World();
    const server = new Server(world, 1.3);
    const draw = random(seed);
    const all = [new Machine('a', server, draw, 0.9), new Machine('b', server, draw, 0.9)];
    for (const { candidate } of all) candidate.start();
    for (const machine of all) world.at(TTL + draw() * 5 * TTL, () => machine.cut(2 * TTL));
    while (world.now < 20 * TTL && (await world.step())) {
      if (all.filter(({ candidate }) => candidate.isLeader).length > 1) return true;
    }
    return false;
  };
  let seen = 0;
  for (let seed = 1; seed <= 200; seed++) if (await machines(seed)) seen += 1;
  assert.ok(seen > 0, 'clocks that differ by more than the margin show two leaders');
});
