import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format } from 'node:util';
import { formatText } from '../../../../framework/lib/logger/format.js';
import { Masker } from '../../../../output/secrets.js';

const masker = new Masker();

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
    assert.equal(formatText([text], masker), format(text));
    for (const one of values) {
      assert.equal(formatText([text, one], masker), format(text, one), `${text} ${String(one)}`);
      for (const two of values) assert.equal(formatText([text, one, two], masker), format(text, one, two));
    }
  }
  for (const one of values) assert.equal(formatText([one, 'b'], masker), format(one, 'b'));
  assert.equal(formatText([], masker), format());
});

test('a log call does not throw, whatever it is given', () => {
  assert.match(formatText(['%j', 10n], masker), /^%j <arguments that cannot be printed: .*BigInt/);
  assert.match(formatText(['%s', 10n], masker), /^10n$/);
});

test('a secret is masked wherever the format is split', () => {
  const parts = [
    'password=hunter2hunter2',
    'Bearer abcdefghijklmnop1',
    'https://ada:pa55word@host/',
    'see b',
    'token: x1',
  ];
  for (const text of parts) {
    for (let at = 0; at <= text.length; at += 1) {
      const begin = text.slice(0, at);
      const end = text.slice(at);
      const masked = masker.maskText(text);
      assert.equal(formatText(['%s%s', begin, end], masker), masked);
      assert.equal(formatText([`${begin}%s`, end], masker), masked);
      assert.equal(formatText([`%s${end}`, begin], masker), masked);
    }
  }
});
