import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { reveal, secret } from 'koa-clutch';
import { Masker, maskText } from '../../output/secrets.js';

const masker = new Masker();

test('keys are secret by their words, in any case and with any separator', () => {
  for (const key of [
    ...['apiKey', 'api_key', 'API-KEY', 'APIKEY', 'privateKey', 'authorization', 'Proxy-Authorization', 'credentials'],
    ...['passphrase', 'password', 'DB_PASSWORD', 'dbpassword', 'password2', 'db_pass', 'pwd', 'passwordHash'],
    ...['secret', 'clientSecret', 'secretAccessKey', 'accessKeyId', 'token', 'authToken', 'accesstoken', 'keys'],
    ...['bearer', 'pin', 'userPin', 'sasToken', 'sas', 'hmac', 'ak', 'sk', 'aws_sk', 'dbPw', 'pw'],
    ...[
      'encryption_key',
      'stripeKey',
      'X-Api-Key',
      'apiKeyV2',
      'salt',
      'signature',
      'X-Amz-Signature',
      'privateKeyPem',
    ],
  ]) {
    assert.ok(masker.hides(key, 'x'), key);
  }
  for (const key of [
    ...['keyframes', 'primaryKey', 'foreign_key', 'publicKey', 'cacheKey', 'key', 'keyboard', 'monkeys', 'keyId'],
    ...[
      'passThrough',
      'bypass',
      'passport',
      'compass',
      'pinned',
      'spin',
      'task',
      'sasl',
      'tokenizer',
      'secretary',
      'PWD',
      'author',
      'authentication',
    ],
    ...['tokenName', 'cookieName', 'passwordField', 'tokenUrl', 'privateKeyPath', 'maxTokens', 'hasToken', 'name'],
  ]) {
    assert.ok(!masker.hides(key, 'x'), key);
  }
});

test('a cookie is secret as a text, and shown as an object of options', () => {
  assert.ok(masker.hides('cookie', 'sid=1'));
  assert.ok(masker.hides('auth', 'user:pw'));
  assert.ok(!masker.hides('cookies', { httpOnly: true }));
  assert.ok(!masker.hides('password', true));
});

test('config.dump.ignore adds names and patterns', () => {
  const own = new Masker(['dsn', /^x-/g]);
  for (const key of ['dsn', 'x-thing', 'x-thing']) assert.ok(own.hides(key, 'x'), key);
  assert.equal(own.maskText('dsn=abc'), 'dsn=***');
});

const texts: [shown: string, masked: string][] = [
  ['redis://:hunter2@host:6379/0', 'redis://:***@host:6379/0'],
  ['at mysql://app:p@ss@w@db/x failed', 'at mysql://app:***@db/x failed'],
  ['redis://:p/w@host:6379', 'redis://:***@host:6379'],
  ['amqp://u:p?w#@host', 'amqp://u:***@host'],
  ['https://0123456789abcdef0123@github.com/x', 'https://***@github.com/x'],
  ['ssh://git@github.com/x and https://unpkg.com/@scope/x', 'ssh://git@github.com/x and https://unpkg.com/@scope/x'],
  ['http://localhost:7001/@me', 'http://localhost:7001/@me'],
  ['GET /login?user=ada&password=hunter2&x=1', 'GET /login?user=ada&password=***&x=1'],
  ['https://h/?access_token=abc#f', 'https://h/?access_token=***'],
  ['Server=db;Password=abc;Db=x', 'Server=db;Password=***;Db=x'],
  ['Authorization: Bearer abc.def-1', 'Authorization: ***'],
  ['sent Bearer abcDEF123 to it', 'sent Bearer *** to it'],
  ['Basic dXNlcjpwYXNz', 'Basic ***'],
  ['Basic authentication failed', 'Basic authentication failed'],
  ['cookie: sid=1; sid.sig=2', 'cookie: ***'],
  ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-1 given', 'jwt <JWT> given'],
  ['a -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- b', 'a <PEM RSA PRIVATE KEY> b'],
  ['-----BEGIN PRIVATE KEY-----\nabc', '<PEM PRIVATE KEY>'],
  ['{"user":"ada","password":"h\\"2","n":1}', '{"user":"ada","password":"***","n":1}'],
  ['{"keys":["a","b"],"n":1}', '{"keys":"***","n":1}'],
  ['{"credentials":{"a":{"b":"x"}},"n":1}', '{"credentials":"***","n":1}'],
  ['{"text":"{\\"token\\":\\"abc\\"}"}', '{"text":"{\\"token\\":\\"***\\"}"}'],
  ['the msg="password=abc", not', 'the msg="password=***", not'],
  ['login failed, password: hunter2', 'login failed, password: ***'],
  ['invalid token: expired', 'invalid token: expired'],
  ['invalid token: expired\npassword=A', 'invalid token: expired\npassword=***'],
  ['password=A, token: B', 'password=***, token: ***'],
  ['token: B, password=A; pin: 12', 'token: ***, password=***; pin: ***'],
  ['db pw=hunter2 mysql://u:hunter2@h/db unreachable', 'db pw=*** mysql://u:***@h/db unreachable'],
  ['pw: hunter2, pwd: hunter2', 'pw: ***, pwd: ***'],
  ['ak=A sk=B hmac=C sas=D bearer=E pin=1', 'ak=*** sk=*** hmac=*** sas=*** bearer=*** pin=***'],
  ['cannot reach app:hunter2@db.internal:5432', 'cannot reach app:***@db.internal:5432'],
  ['app:hunter2@10.0.0.1, app:h@db', 'app:***@10.0.0.1, app:***@db'],
  ['mailto:ada@example.com from:ada@example.com', 'mailto:ada@example.com from:ada@example.com'],
  ['npm:pkg@1.2.3 pkg:x@4.2.0 at 10:30@noon', 'npm:pkg@1.2.3 pkg:x@4.2.0 at 10:***@noon'],
  ['at 12:30:01 key=1 a=b', 'at 12:30:01 key=1 a=b'],
];

test('secrets in a text are found by their shape and by the key before them', () => {
  for (const [shown, masked] of texts) assert.equal(maskText(shown), masked);
});

test('what inspect prints is masked: Maps, Sets, Buffers, class instances, long texts, cycles', () => {
  class Credentials {
    user = 'ada';
    inner = { deep: 'planted' };
  }
  const cyclic: Record<string, unknown> = { password: 'planted' };
  cyclic['self'] = cyclic;
  const values = [
    { password: 'planted' },
    new Map([['apiKey', 'planted']]),
    { tokens: new Set(['planted']) },
    { secret: Buffer.from('planted') },
    { credentials: new Credentials() },
    { keys: ['a', 'planted'] },
    { privateKey: `${'a'.repeat(60)}\n${'b'.repeat(60)}\nplanted` },
    { url: new URL('redis://:planted@host') },
    cyclic,
    { list: [{ config: { db: { password: "it's planted" } } }] },
    Object.assign(Object.create(null), { auth_token: 'planted' }),
  ];
  for (const value of values) {
    const text = maskText(inspect(value, { depth: 5 }));
    assert.doesNotMatch(text, /planted|70 6c 61 6e/, text);
  }
});

test('masking takes time in proportion to the text', () => {
  for (const part of [
    'password="',
    'a:b@',
    'password=a\n',
    'password=a, token: b ',
    "a='",
    'x=',
    'token:{',
    '://',
    'a'.repeat(100),
  ]) {
    const begin = performance.now();
    maskText(part.repeat(200_000 / part.length));
    assert.ok(performance.now() - begin < 2000, part);
  }
});

test('secret() is redacted wherever it is printed, and revealed on demand', () => {
  const value = secret('planted');
  assert.equal(inspect({ value }), '{ value: <Secret> }');
  assert.equal(JSON.stringify({ value }), '{"value":"<Secret>"}');
  assert.equal(`${value}`, '<Secret>');
  assert.deepEqual([value.reveal(), reveal(value), reveal('plain')], ['planted', 'planted', 'plain']);
});
