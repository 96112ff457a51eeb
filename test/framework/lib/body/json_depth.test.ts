import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTooDeep, MAX_JSON_DEPTH } from '../../../../framework/lib/body/json_depth.js';

const nested = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth);
const deep = (text: string): boolean => isTooDeep(Buffer.from(text));

test('JSON is too deep beyond the bound, however it is nested and wherever in a body of a megabyte', () => {
  const padding = JSON.stringify('x'.repeat(500_000));
  const objects = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
  for (const text of [nested(900_000), '['.repeat(900_000), '{"a":'.repeat(200_000), nested(5000), objects]) {
    assert.equal(deep(text), true, text.slice(0, 20));
  }
  for (const inner of [nested(5000), objects]) assert.equal(deep(`[${padding},${inner},${padding}]`), true);
});

test('JSON up to the bound is not too deep, nor are brackets in a text', () => {
  assert.equal(deep(nested(MAX_JSON_DEPTH)), false);
  assert.equal(deep(JSON.stringify({ text: '[{'.repeat(10_000), quote: '\\"[[[['.repeat(1000) })), false);
  const wide = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, tags: ['a'], inner: { x: [1] } })));
  assert.equal(deep(wide), false);
});

// The figure of the comment in json_depth.ts: CLUTCH_MEASURE=1 npm run test:one -- json_depth
test('looking at the depth costs less than a fiftieth of parsing', { skip: !process.env['CLUTCH_MEASURE'] }, (t) => {
  const item = (id: number) => ({
    id,
    name: `user ${id}`,
    tags: ['a', 'b'],
    nested: { x: id * 1.5, s: 'some longer text' },
  });
  for (const count of [100, 1000]) {
    const bytes = Buffer.from(JSON.stringify(Array.from({ length: count }, (_, id) => item(id))));
    const time = (run: () => unknown): number => {
      const rounds = Math.ceil(2e7 / bytes.length);
      const start = performance.now();
      for (let round = 0; round < rounds; round += 1) run();
      return ((performance.now() - start) / rounds) * 1000;
    };
    for (let warm = 0; warm < 3; warm += 1) time(() => isTooDeep(bytes));
    const parsing = time(() => JSON.parse(bytes.toString()));
    const looking = time(() => isTooDeep(bytes));
    t.diagnostic(`${bytes.length} bytes: parsing ${parsing.toFixed(1)} µs, depth ${looking.toFixed(2)} µs`);
    assert.ok(looking < parsing / 50);
  }
});
