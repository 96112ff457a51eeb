import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readable, toError } from '../errors.js';

test('toError keeps an Error, and describes anything else, also what throws when it is read', () => {
  const error = new Error('e');
  assert.equal(toError(error), error);
  assert.equal(toError({ message: 'm' }).message, 'm');
  const hostile = new Proxy(error, {
    get() {
      throw new Error('px');
    },
  });
  assert.match(toError(hostile).message, /^an error that cannot be read was thrown/);
  assert.equal((toError(hostile).cause as Error).message, 'px');
  assert.equal(readable(undefined), undefined);
  assert.equal(readable(error), error);
});
