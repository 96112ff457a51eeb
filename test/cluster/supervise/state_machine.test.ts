import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateMachine } from '../../../cluster/supervise/state_machine.js';

const TRANSITIONS = { open: ['closed'], closed: [] } as const;

test('a state changes along its table only, and a wrong change throws and changes nothing', () => {
  const door = new StateMachine<'open' | 'closed'>('the door', TRANSITIONS, 'open');
  assert.throws(() => door.become('open'), /the door is open and cannot become open/);
  door.become('closed');
  assert.equal(door.state, 'closed');
  assert.throws(() => door.become('open'), /the door is closed and cannot become open/);
  assert.equal(door.state, 'closed');
});
