import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../support/compile.js';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

const QUIET = "exports.logger = { consoleLevel: 'NONE' }; exports.security = { csrf: { enable: false } };";

test('docs/error-responses.md: the table says what the app responds in production', async (t) => {
  const files = {
    ...filesOf('docs/error-responses.md'),
    'config/config.default.js': `exports.keys = 'k'; ${QUIET}`,
    'app/pages/404.html': '<p>{{status}}</p>',
    'app/pages/503.html': '<p>{{status}}</p>',
  };
  const ask = await serve(t, loadApp(t, files, { env: 'prod' }));
  const json = { headers: { accept: 'application/json' } };
  const seen = [];
  for (const where of ['/gap', '/file', '/boom']) {
    const { status, body } = await ask(where, json);
    seen.push([status, JSON.parse(body)]);
  }
  assert.deepEqual(seen, [
    [409, { code: 'E_GAP', message: 'mind the gap', errors: [{ field: 'platform' }] }],
    [404, { message: 'Not Found' }],
    [500, { message: 'Internal Server Error' }],
  ]);
  assert.equal((await ask('/nope', { headers: { accept: 'text/html' } })).body, '<p>404</p>');
});

test('docs/requests.md: the app reads bodies and keeps a user in an encrypted cookie', async (t) => {
  const files = { ...filesOf('docs/requests.md'), 'config/config.unittest.js': QUIET };
  const ask = await serve(t, loadApp(t, files));
  const post = (type: string, body: string) =>
    ask('/echo', { method: 'POST', headers: { 'content-type': type }, body });
  assert.equal((await post('application/json', '{"a":1}')).body, '{"a":1}');
  assert.equal((await post('text/csv', 'a,b')).body, 'a,b');
  const cookies = (await ask('/login')).headers['set-cookie'] as string[];
  const cookie = cookies.map((line) => line.split(';')[0]).join('; ');
  assert.match(cookies.join('\n'), /^user=[^;]+; path=\/; max-age=604800; expires=[^;]+; samesite=lax; httponly$/m);
  assert.equal((await ask('/me', { headers: { cookie } })).body, 'ann');
  assert.equal((await ask('/me')).body, 'nobody');
});

test('docs/types.md: defineExtend types this without a cast, and finds a wrong member', (t) => {
  const file = filesOf('docs/types.md')['app/extend/context.ts'] as string;
  const compileExtend = (source: string) => compile(t, { 'app/extend/context.ts': source });
  assert.equal(compileExtend(file), '');
  assert.match(
    compileExtend(file.replace("this.query['n'] ?? 7", 'this.request.nothing')),
    /Property 'nothing' does not exist on type 'Request'/,
  );
});
