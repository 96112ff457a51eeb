import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format } from 'node:util';
import { formatText } from '../../../../framework/lib/logger/format.js';

test('the short way gives what util.format gives', () => {
  // Not `10n`, which util.format throws for with %j.
  const values = [
    'a',
    '',
    '%s',
    0,
    -0,
    1,
    -1.5,
    NaN,
    Infinity,
    true,
    null,
    undefined,
    { a: 1 },
    [1],
    Symbol('s'),
    () => 1,
  ];
  const formats = [
    '',
    'x',
    '%',
    '%%',
    '%s',
    '%d',
    'a %s b %d',
    '%s%s',
    '%j',
    '%i',
    '%f',
    '%o',
    '%O',
    '%c',
    '%x',
    '100%',
    '%s %%',
    '%s %',
  ];
  for (const text of formats) {
    assert.equal(formatText([text]), format(text));
    for (const one of values) {
      assert.equal(formatText([text, one]), format(text, one), `${text} ${String(one)}`);
      for (const two of values) assert.equal(formatText([text, one, two]), format(text, one, two));
    }
  }
  for (const one of values) assert.equal(formatText([one, 'b']), format(one, 'b'));
  assert.equal(formatText([]), format());
});

test('a log call does not throw, whatever it is given', () => {
  assert.match(formatText(['%j', 10n]), /^%j <arguments that cannot be printed: .*BigInt/);
  assert.match(formatText(['%s', 10n]), /^10n$/);
});
