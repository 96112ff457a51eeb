import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EARLY_MESSAGES } from '../../../ipc/limits.js';
import { Takeover } from '../../../plugins/fleet/lib/messenger/takeover.js';
import type { TakeoverNotice, WireMessage } from '../../../plugins/fleet/lib/messenger/wire.js';

const LIMIT = 50;

/** An Agent that may replace another one, and what it does. */
function agent(t: TestContext, incarnation: string, handled: Record<string, number> = {}) {
  const did = { notices: [] as TakeoverNotice[], delivered: [] as unknown[], dropped: 0, active: 0, replaced: 0 };
  const waiting: (() => void)[] = [];
  const takeover = new Takeover({
    incarnation,
    timeout: LIMIT,
    notify: (notice) => void did.notices.push(notice),
    handled: () => handled,
    deliver: ({ data }) => void did.delivered.push(data),
    onActive: () => {
      did.active += 1;
      for (const resolve of waiting.splice(0)) resolve();
    },
    onReplaced: () => {
      did.replaced += 1;
    },
    onDropped: (count) => {
      did.dropped += count;
    },
  });
  t.after(() => takeover.close());
  return { takeover, did, activated: () => new Promise<void>((resolve) => waiting.push(resolve)) };
}

const message = (seq: number, stream = 's') => ({
  message: { to: 'agent', one: true, action: 'x', data: seq } satisfies WireMessage,
  stream,
  seq,
});

test('an Agent whose predecessor does not say what it has handled takes over after the timeout, and reports what it drops', async (t) => {
  const { takeover, did, activated } = agent(t, 'new');
  takeover.join('old');
  assert.deepEqual(did.notices, [{ kind: 'candidate', incarnation: 'old' }]);
  for (const seq of [1, 2]) assert.equal(takeover.takes(message(seq)), false);
  const active = activated();
  const begin = performance.now();
  takeover.ready();
  assert.deepEqual(did.notices.at(-1), { kind: 'take-over', incarnation: 'old' });
  assert.equal(takeover.isActive, false);
  await active;
  assert.ok(performance.now() - begin >= LIMIT - 1);
  assert.deepEqual([did.dropped, did.delivered], [2, []]);
  assert.equal(takeover.takes(message(3)), true);
});

test('one that gets the reply in time goes on from there, and a later timeout does nothing', async (t) => {
  const { takeover, did } = agent(t, 'new');
  takeover.join('old');
  for (const seq of [1, 2, 3]) takeover.takes(message(seq));
  takeover.ready();
  takeover.receive({ kind: 'handed-over', incarnation: 'another', handled: { s: 9 } });
  assert.equal(takeover.isActive, false);
  takeover.receive({ kind: 'handed-over', incarnation: 'old', handled: { s: 1 } });
  assert.deepEqual([did.delivered, did.active], [[2, 3], 1]);
  assert.equal(takeover.takes(message(1)), false);
  await new Promise((resolve) => setTimeout(resolve, 2 * LIMIT));
  assert.deepEqual([did.dropped, did.active], [0, 1]);
});

test('the reply may come before the cluster is ready; nothing is taken until it is', (t) => {
  const { takeover, did } = agent(t, 'new');
  takeover.join('old');
  takeover.takes(message(1));
  takeover.receive({ kind: 'handed-over', incarnation: 'old', handled: {} });
  assert.deepEqual([takeover.isActive, did.delivered], [false, []]);
  takeover.ready();
  assert.deepEqual([takeover.isActive, did.delivered], [true, [1]]);
});

test('the former Agent hands over once, and knows of a successor that gives up', (t) => {
  const { takeover, did } = agent(t, 'old', { s: 5 });
  takeover.join(undefined);
  assert.equal(did.active, 1);
  takeover.receive({ kind: 'candidate', incarnation: 'old' });
  assert.equal(takeover.hasSuccessor, true);
  takeover.receive({ kind: 'withdraw', incarnation: 'old' });
  assert.equal(takeover.hasSuccessor, false);
  assert.equal(takeover.takes(message(6)), true);
  for (let times = 0; times < 2; times += 1) takeover.receive({ kind: 'take-over', incarnation: 'old' });
  assert.deepEqual(did.notices, [{ kind: 'handed-over', incarnation: 'old', handled: { s: 5 } }]);
  assert.deepEqual([did.replaced, takeover.hasSuccessor, takeover.takes(message(7))], [1, true, false]);
});

test('a candidate that closes withdraws, and its timeout does not make it active', async (t) => {
  const { takeover, did } = agent(t, 'new');
  takeover.join('old');
  takeover.ready();
  takeover.close();
  assert.deepEqual(did.notices.at(-1), { kind: 'withdraw', incarnation: 'old' });
  await new Promise((resolve) => setTimeout(resolve, 2 * LIMIT));
  assert.equal(did.active, 0);
});

test('a candidate keeps the newest messages only', (t) => {
  const { takeover, did } = agent(t, 'new');
  takeover.join('old');
  for (let seq = 1; seq <= EARLY_MESSAGES + 3; seq += 1) takeover.takes(message(seq));
  takeover.receive({ kind: 'handed-over', incarnation: 'old', handled: {} });
  takeover.ready();
  assert.deepEqual([did.delivered.length, did.delivered[0]], [EARLY_MESSAGES, 4]);
});
