import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAME_PAYLOAD } from '../../ipc/limits.js';
import { type Frame, FrameReader, FrameWriter, HEADER } from '../../leader/frame.js';
import { isJsonBest } from '../../leader/value.js';

function write(frames: Frame[]): Buffer {
  const writer = new FrameWriter();
  for (const { type, id, payload } of frames) writer.write(type, id, payload);
  return Buffer.concat(writer.take());
}

function read(bytes: Buffer, cuts: number[] = []): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame), { authenticated: true });
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < places.length; index += 1) {
    if (places[index - 1] !== places[index]) reader.read(bytes.subarray(places[index - 1], places[index]));
  }
  return frames;
}

const value = fc.oneof(
  fc.jsonValue(),
  fc
    .anything({ withDate: true, withMap: true, withSet: true, withBigInt: true, withTypedArray: true })
    .filter((any) => typeof any !== 'symbol' && typeof any !== 'function'),
  fc.string({ unit: 'binary', minLength: 1000, maxLength: 30_000 }),
  fc.uint8Array({ maxLength: 1000 }).map((bytes) => Buffer.from(bytes)),
);
const frame = fc.record({ type: fc.nat(31), id: fc.nat(2 ** 32 - 1), payload: value });

test('frames are read as they were written, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 8 }), (frames, cuts) => {
      const copyable = frames.filter(({ payload }) => {
        try {
          structuredClone(payload);
          return true;
        } catch {
          return false;
        }
      });
      const got = read(write(copyable), cuts);
      assert.equal(got.length, copyable.length);
      for (const [index, { type, id, payload }] of got.entries()) {
        const sent = copyable[index] as Frame;
        assert.deepEqual([type, id], [sent.type, sent.id]);
        if (isJsonBest(sent.payload)) assert.deepEqual(JSON.stringify(payload), JSON.stringify(sent.payload));
        else if (!(sent.payload instanceof Object) || Buffer.isBuffer(sent.payload))
          assert.deepEqual(payload, sent.payload);
      }
    }),
    { numRuns: 500 },
  );
});

test('dates, buffers, maps, errors and odd numbers arrive as what they are', () => {
  const payload = {
    at: new Date(5),
    bytes: Buffer.from('raw'),
    map: new Map([[1, { two: 2 }]]),
    nan: Number.NaN,
    big: 7n,
    undef: [undefined],
  };
  const [got] = read(write([{ type: 2, id: 1, payload }]));
  assert.deepEqual(got?.payload, payload);
});

test('a value that cannot be copied, or is too large, is an error to the sender', () => {
  assert.throws(() => write([{ type: 2, id: 1, payload: { run() {} } }]), /ERR_CLUTCH_MESSAGE: a value cannot be sent/);
  assert.throws(
    () => write([{ type: 2, id: 1, payload: 'x'.repeat(FRAME_PAYLOAD + 1) }]),
    /671088\d\d bytes is too large/,
  );
});

test('a frame of many chunks is put together', () => {
  const payload = { text: 'é'.repeat(3 * 1024 * 1024) };
  const bytes = write([
    { type: 2, id: 1, payload },
    { type: 3, id: 2, payload: 'next' },
  ]);
  const frames: Frame[] = [];
  const reader = new FrameReader((each) => frames.push(each), { authenticated: true });
  for (let at = 0; at < bytes.length; at += 65_536) reader.read(bytes.subarray(at, at + 65_536));
  assert.deepEqual(
    frames.map(({ payload: each }) => (each as { text?: string }).text?.length ?? each),
    [3 * 1024 * 1024, 'next'],
  );
});

test('what was read stays as it is when the bytes it came in are used again', () => {
  const text = 'x'.repeat(10_000);
  const payloads = [
    Buffer.from(text),
    { text },
    { text: `${text}\\`, bytes: Buffer.from('raw') },
    new Float64Array([1, 2]),
    new Uint16Array([3]).buffer,
    `${text}é\u4e2d`,
  ];
  const bytes = write(payloads.map((payload, id) => ({ type: 2, id, payload })));
  const frames: Frame[] = [];
  new FrameReader((each) => frames.push(each), { authenticated: true }).read(bytes);
  bytes.fill(0);
  assert.deepEqual(
    frames.map(({ payload }) => payload),
    payloads,
  );
});

test('an unauthenticated peer may send small frames of JSON only', () => {
  const reader = (): FrameReader => new FrameReader(() => undefined, { authenticated: false });
  assert.throws(() => reader().read(write([{ type: 0, id: 0, payload: 'x'.repeat(2000) }])), /over the limit of 1024/);
  assert.throws(() => reader().read(write([{ type: 0, id: 0, payload: new Date() }])), /JSON only/);
});

test('100,000 random and mutated frames are read or refused, and nothing else happens', () => {
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % below;
  };
  const samples = [
    { type: 2, id: 1, payload: [1, 'get', [{ a: 1, b: ['x', null] }]] },
    { type: 6, id: 2, payload: { key: 'k', value: new Map([['a', new Date()]]) } },
    { type: 19, id: 3, payload: Buffer.alloc(200, 7) },
  ].map((each) => write([each]));
  let refused = 0;
  for (let round = 0; round < 100_000; round += 1) {
    const bytes =
      round % 4 === 0
        ? Buffer.from(Array.from({ length: random(60) }, () => random(256)))
        : Buffer.from(samples[round % 3] as Buffer);
    for (let change = random(4); change > 0; change -= 1) {
      // Lengths are left alone in most rounds: the payload is what is to be torn.
      const from = random(5) === 0 ? 0 : Math.min(4, bytes.length - 1);
      if (bytes.length > from && from >= 0) bytes[from + random(bytes.length - from)] = random(256);
    }
    try {
      const reader = new FrameReader(() => undefined, { authenticated: round % 2 === 0 });
      const cut = random(bytes.length + 1);
      reader.read(bytes.subarray(0, cut));
      reader.read(bytes.subarray(cut));
    } catch (error) {
      assert.ok(error instanceof Error, String(error));
      refused += 1;
    }
  }
  assert.ok(refused > 10_000 && refused < 100_000, String(refused));
  assert.equal(HEADER, 9);
});
