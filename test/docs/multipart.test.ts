import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTENT_TYPE, formBody } from '../plugins/multipart/forms.js';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/multipart.md: its app takes uploads', async (t) => {
  const ask = await serve(t, loadApp(t, filesOf('docs/multipart.md')));
  const body = formBody([
    { name: 'title', value: 'A' },
    { name: 'doc', value: 'hello', filename: 'a.pdf', type: 'application/pdf' },
  ]).toString();
  const post = async (where: string): Promise<unknown> =>
    JSON.parse((await ask(where, { method: 'POST', headers: { 'content-type': CONTENT_TYPE }, body })).body);
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
  assert.deepEqual(await post('/one'), { name: 'a.pdf', title: 'A', sha256 });
  assert.deepEqual(await post('/all'), { doc: 5 });
  assert.deepEqual(await post('/files'), [{ field: 'doc', filename: 'a.pdf', mime: 'application/pdf' }]);
});
