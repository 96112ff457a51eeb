import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { Base } from 'sdk-base';
import { ClusterClients } from '../../leader/cluster_clients.js';
import { FRAME, FrameWriter } from '../../leader/frame.js';
import { until } from '../support/apps.js';
import { pair } from '../support/leader_pair.js';

type Listener = (value: unknown) => void;

/** A client as plugins write them, on the Base of sdk-base. */
class Registry extends Base {
  readonly values = new Map<string, unknown>();
  subscriptions = 0;
  closed = false;
  oneways: unknown[] = [];

  readonly settings: { greeting?: string };

  constructor(settings: { greeting?: string } = {}) {
    super({ initMethod: 'init' });
    this.settings = settings;
  }

  async init(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }

  subscribe(registration: { key: string }, listener: Listener): void {
    this.subscriptions += 1;
    this.on(registration.key, listener);
    if (this.values.has(registration.key)) listener(this.values.get(registration.key));
  }

  unSubscribe(): void {}

  publish({ key, value }: { key: string; value: unknown }): void {
    this.values.set(key, value);
    this.emit(key, value);
  }

  async get(key: string): Promise<unknown> {
    return this.values.get(key);
  }

  async greet(name: string): Promise<string> {
    return `${this.settings.greeting ?? 'hello'} ${name}`;
  }

  async fail(): Promise<never> {
    throw Object.assign(new TypeError('no such key'), { code: 'ENOKEY' });
  }

  async never(): Promise<void> {
    await new Promise(() => undefined);
  }

  legacy(name: string, callback: (error: Error | null, value?: string) => void): void {
    setImmediate(() => (name === 'bad' ? callback(new Error('bad name')) : callback(null, `legacy ${name}`)));
  }

  log(text: unknown): void {
    this.oneways.push(text);
  }

  override async close(): Promise<void> {
    this.closed = true;
  }
}

test('a Follower invokes, with results, errors and callbacks', async (t) => {
  const { leader, follower } = pair(t);
  const real = leader().builder(Registry).create({ greeting: 'hi' });
  const client = follower().builder(Registry).delegate('legacy').create({ greeting: 'not used' });
  await client.ready();
  assert.equal(client.isClusterClientLeader, false);
  assert.equal(real.isClusterClientLeader, true);
  assert.equal(await client.greet('you'), 'hi you');
  assert.equal(await real.greet('me'), 'hi me');
  await assert.rejects(client.fail(), {
    name: 'TypeError',
    message: 'no such key',
    code: 'ENOKEY',
    stack: /cluster_clients\.test/,
  });
  const legacy = (name: string) =>
    new Promise((resolve, reject) => client.legacy(name, (error, value) => (error ? reject(error) : resolve(value))));
  assert.equal(await legacy('one'), 'legacy one');
  await assert.rejects(legacy('bad'), /bad name/);
  // Without a callback a plain function is given one.
  assert.equal(await (client.legacy as unknown as (name: string) => Promise<string>)('two'), 'legacy two');
});

test('values keep their types: dates, buffers, undefined', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const client = follower().builder(Registry).create();
  const value = { at: new Date(7), raw: Buffer.from([1, 2]), nothing: undefined };
  client.publish({ key: 'typed', value });
  await until('it is there', () => client.get('typed'));
  assert.deepEqual(await client.get('typed'), value);
  assert.equal(await client.get('missing'), undefined);
});

test('one real subscription for all; late subscribers get the last value at once', async (t) => {
  const { leader, follower } = pair(t);
  const clients = leader();
  const real = clients.builder(Registry).create();
  const [one, two] = [follower().builder(Registry).create(), follower().builder(Registry).create()];
  const got: [string, unknown][] = [];
  one.subscribe({ key: 'a' }, (value) => got.push(['one', value]));
  two.subscribe({ key: 'a' }, (value) => got.push(['two', value]));
  real.subscribe({ key: 'a' }, (value) => got.push(['leader', value]));
  await Promise.all([one.ready(), two.ready()]);
  await one.get('a');
  await two.get('a');
  one.publish({ key: 'a', value: 1 });
  await until('all have it', () => got.length === 3);
  assert.deepEqual(got.sort(), [
    ['leader', 1],
    ['one', 1],
    ['two', 1],
  ]);
  const late: unknown[] = [];
  one.subscribe({ key: 'a' }, (value) => late.push(value));
  follower()
    .builder(Registry)
    .create()
    .subscribe({ key: 'a' }, (value) => late.push(value));
  await until('the late ones have it', () => late.length === 2);
  assert.deepEqual(late, [1, 1]);
});

test('unSubscribe ends one listener, or all of a key', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const client = follower().builder(Registry).create();
  const got: string[] = [];
  const first = (): void => void got.push('first');
  client.subscribe({ key: 'a' }, first);
  client.subscribe({ key: 'a' }, () => got.push('second'));
  client.subscribe({ key: 'a' }, () => got.push('third'));
  await client.ready();
  (client.unSubscribe as (registration: object, listener?: () => void) => void)({ key: 'a' }, first);
  client.publish({ key: 'a', value: 1 });
  await until('two have it', () => got.length === 2);
  assert.deepEqual(got, ['second', 'third']);
  (client.unSubscribe as (registration: object) => void)({ key: 'a' });
  client.publish({ key: 'a', value: 2 });
  await client.get('a');
  assert.equal(got.length, 2);
});

test('isBroadcast false gives each value to one subscriber', async (t) => {
  const { leader, follower } = pair(t);
  const options = { isBroadcast: false };
  leader(options).builder(Registry).create();
  const got: unknown[] = [];
  const followers = [follower(options), follower(options), follower(options)].map((each) =>
    each.builder(Registry).create(),
  );
  for (const each of followers) {
    each.subscribe({ key: 'a' }, (value) => got.push(value));
    await each.ready();
    await each.get('a');
  }
  for (let value = 0; value < 20; value += 1) followers[0]?.publish({ key: 'a', value });
  await until('all have come', () => got.length >= 20);
  await followers[0]?.get('a');
  assert.deepEqual(
    got.sort((a, b) => Number(a) - Number(b)),
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('delegate, override, invokeOneway, formatKey, autoGenerate and transcode', async (t) => {
  const { leader, follower } = pair(t);
  const transcode = {
    encode: (value: unknown) => Buffer.from(`!${JSON.stringify(value ?? null)}`),
    decode: (bytes: Buffer) => JSON.parse(bytes.toString().slice(1)) as unknown,
  };
  const options = {
    name: 'named',
    transcode,
    formatKey: (registration: unknown) => (registration as { key: string }).key,
  };
  const real = leader().builder(Registry, options).create() as unknown as { oneways: unknown[] };
  const client = follower()
    .builder(Registry, options)
    .delegate('log', 'invokeOneway')
    .delegate('greet', 'invoke')
    .override('version', 3)
    .create() as unknown as Registry & { version: number; ready(): Promise<void> };
  await client.ready();
  assert.equal(client.version, 3);
  assert.equal(await client.greet('you'), 'hello you');
  assert.equal(client.log('written'), undefined);
  assert.equal(await client.get('x'), undefined);
  assert.equal(real.oneways, undefined);
  assert.equal(
    (follower().builder(Registry, { autoGenerate: false }).create() as unknown as { get?: unknown }).get,
    undefined,
  );
  assert.throws(() => follower().builder(Registry).delegate('missing').create(), /the client has no method missing/);
  assert.throws(
    () =>
      follower()
        .builder(Registry)
        .delegate('get', 'explode' as never),
    /ERR_CLUTCH_CLIENT/,
  );
});

test('events of the real client reach its wrapper in the Leader', async (t) => {
  const { leader, errors } = pair(t);
  const real = leader().builder(Registry).create();
  const event = once(real, 'a');
  real.publish({ key: 'a', value: 'told' });
  assert.deepEqual(await event, ['told']);
  const failure = once(real, 'error');
  real.on('error', () => undefined);
  (real as unknown as { emit(event: string, error: Error): void }).emit('error', new Error('of the client'));
  assert.match(String((await failure)[0]), /of the client/);
  assert.deepEqual(errors, []);
});

test('an answer that does not come in time is a ResponseTimeoutError', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const client = follower({ responseTimeout: 200 }).builder(Registry).create();
  await client.ready();
  await assert.rejects(client.never(), {
    name: 'ResponseTimeoutError',
    code: 'ERR_CLUTCH_TIMEOUT',
    message: /never got no reply within 200 ms/,
  });
});

test('a Follower without a Leader is told what to do, and still connects when there is one', async (t) => {
  const { leader, follower } = pair(t);
  const client = follower({ maxWaitTime: 100 }).builder(Registry).create();
  await assert.rejects(
    client.ready(),
    /ERR_CLUTCH_TIMEOUT: no Leader for client "Registry" within 100 ms[\s\S]*agent\.cluster/,
  );
  leader().builder(Registry).create();
  assert.equal(await client.greet('you'), 'hello you');
});

test('W12: when the Leader goes, pending invokes fail at once, and Followers come back by themselves with their subscriptions', async (t) => {
  const { leader, follower } = pair(t);
  const first = leader();
  first.builder(Registry).create();
  const client = follower().builder(Registry).create();
  const got: unknown[] = [];
  client.subscribe({ key: 'a' }, (value) => got.push(value));
  client.publish({ key: 'a', value: 'before' });
  await until('the value is there', () => got.length === 1);
  const pending = client.never();
  const failed = assert.rejects(pending, { code: 'ERR_CLUTCH_LEADER_GONE', message: /never[\s\S]*client "Registry"/ });
  await client.get('a');
  const begin = Date.now();
  await first.close();
  await failed;
  assert.ok(Date.now() - begin < 1000);
  const early = client.greet('waiting');
  const second = leader().builder(Registry).create();
  assert.equal(await early, 'hello waiting');
  // What was published last is published again to the new Leader.
  await until('the value has come back', () => got.length === 2);
  second.publish({ key: 'a', value: 'after' });
  await until('the new Leader pushes', () => got.at(-1) === 'after');
});

test('a Follower that goes takes its subscriptions with it', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const going = follower();
  const client = going.builder(Registry).create();
  const got: unknown[] = [];
  client.subscribe({ key: 'a' }, (value) => got.push(value));
  await client.ready();
  await going.close();
  const other = follower().builder(Registry).create();
  other.publish({ key: 'a', value: 1 });
  await other.get('a');
  assert.deepEqual(got, []);
});

test('the socket is for its user only, and for those that know the token', async (t) => {
  const { leader, file, errors } = pair(t);
  leader().builder(Registry).create();
  await until('it listens', () => statSync(file, { throwIfNoEntry: false }));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const wrong = new ClusterClients(
    { kind: 'follower', token: 'guessed', address: () => ({ path: file }) },
    { maxWaitTime: 200 },
    () => undefined,
  );
  t.after(() => wrong.close());
  await assert.rejects(wrong.builder(Registry).create().ready(), /ERR_CLUTCH_TIMEOUT/);
  assert.match(String(errors[0]), /the peer does not know the token/);
});

test('peers that are refused one after the other cause a few lines of log only', async (t) => {
  const { leader, follower, file, errors } = pair(t);
  leader().builder(Registry).create();
  await follower().builder(Registry).create().ready();
  for (let count = 0; count < 300; count += 1) {
    const socket = net.connect(file);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(count % 2 === 0 ? Buffer.alloc(100, 255) : '{}');
    if (count % 2 === 1) socket.end('x'.repeat(20));
    await once(socket, 'close');
  }
  assert.ok(errors.length > 0 && errors.length <= 3, `${errors.length} lines`);
});

test('a malformed or oversized frame closes its own connection only', async (t) => {
  const { leader, follower, file } = pair(t);
  leader().builder(Registry).create();
  const client = follower().builder(Registry).create();
  await client.ready();
  const frame = (type: number, id: number, payload?: unknown): Buffer => {
    const writer = new FrameWriter();
    writer.write(type, id, payload);
    return Buffer.concat(writer.take());
  };
  const hello = frame(FRAME.hello, 0, 'secret');
  const attacks = [
    Buffer.alloc(100, 255),
    Buffer.concat([hello, Buffer.alloc(20, 255)]),
    Buffer.concat([hello, frame(99, 1)]),
    Buffer.concat([hello, frame(FRAME.oneway, 1, 'not an array')]),
    Buffer.concat([hello, frame(FRAME.publish, 1, [77, {}])]),
    frame(FRAME.invoke, 1, [1, 'get', ['a']]),
    frame(FRAME.hello, 0, { token: 'secret' }),
  ];
  for (const attack of attacks) {
    const socket = net.connect(file);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(attack);
    await once(socket, 'close');
  }
  assert.equal(await client.greet('still'), 'hello still');
  // What belongs to every object is not a method of the client.
  const raw = net.connect(file);
  t.after(() => raw.destroy());
  raw.write(
    Buffer.concat([hello, frame(FRAME.register, 1, 'Registry'), frame(FRAME.invoke, 2, [1, 'constructor', ['x']])]),
  );
  let answer = '';
  raw.on('data', (chunk) => (answer += String(chunk)));
  await until(
    'it is refused',
    () => answer.includes('has no method constructor') || answer.includes('no channel has the number'),
  );
});

test('64 MiB pass, more is an error to the caller', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const client = follower().builder(Registry).create();
  await client.ready();
  const large = 'x'.repeat(63 * 1024 * 1024);
  assert.equal(((await client.greet(large)) as string).length, large.length + 6);
  await assert.rejects(
    client.greet('x'.repeat(65 * 1024 * 1024)),
    /ERR_CLUTCH_MESSAGE: a value of \d+ bytes is too large/,
  );
  assert.equal(await client.greet('small'), 'hello small');
});

test('one million messages arrive, in order, with flat memory', { timeout: 120_000 }, async (t) => {
  const { leader, follower } = pair(t);
  const real = leader().builder(Registry).create();
  const client = follower().builder(Registry).create();
  let received = 0;
  let disorder = 0;
  let last = -1;
  client.subscribe({ key: 'count' }, (value) => {
    received += 1;
    if (value !== last + 1) disorder += 1;
    last = value as number;
  });
  await client.get('count');
  global.gc?.();
  let early = 0;
  const TOTAL = 1_000_000;
  const BATCH = 5000;
  for (let value = 0; value < TOTAL; value += 1) {
    real.publish({ key: 'count', value });
    if ((value + 1) % BATCH === 0) await client.get('count');
    if (value === TOTAL / 4) early = process.memoryUsage.rss();
  }
  await until('all have come', () => received === TOTAL);
  assert.equal(disorder, 0);
  const growth = process.memoryUsage.rss() - early;
  assert.ok(growth < 80 * 1024 * 1024, `${Math.round(growth / 1024 / 1024)} MiB more at the end than after a quarter`);
});

test('in single mode both sides share one real client, which closes with the last of them', async () => {
  const channels = new Map();
  const [agent, app] = [0, 1].map(() => new ClusterClients({ kind: 'single', channels }, {}, () => undefined)) as [
    ClusterClients,
    ClusterClients,
  ];
  const one = agent.builder(Registry).create({ greeting: 'first' });
  const two = app.builder(Registry).create({ greeting: 'second' });
  assert.equal(await two.greet('you'), 'first you');
  await app.close();
  assert.equal(await one.greet('me'), 'first me');
  await agent.close();
  assert.equal(channels.size, 0);
});

test('a method that is delegated to subscribe or publish is the one of the real client that does so', async () => {
  class Feed {
    readonly listeners: Listener[] = [];
    watch(_registration: unknown, listener: Listener): void {
      this.listeners.push(listener);
    }
    announce(value: unknown): void {
      for (const listener of this.listeners) listener(value);
    }
  }
  const clients = new ClusterClients({ kind: 'single', channels: new Map() }, {}, assert.ifError);
  const feed = clients.builder(Feed).delegate('watch', 'subscribe').delegate('announce', 'publish').create();
  const got: unknown[] = [];
  feed.watch('x', (value) => void got.push(value));
  feed.announce('news');
  await until('the value is there', () => got.length === 1);
  assert.deepEqual(got, ['news']);
  await clients.close();
});
