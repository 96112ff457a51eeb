import { test } from 'node:test';
import { app, assert } from 'koa-clutch/mock/bootstrap';

const note = { author: 'Ada', text: 'Buy a loom' };

test('a note that is written is listed, and gone when it is removed', async () => {
  const created = await app.inject({ method: 'POST', url: '/api/notes', payload: note });
  assert.equal(created.statusCode, 201);
  assert.equal(created.headers['x-powered-by'], 'clutch');
  const { id } = created.json();

  const [newest] = (await app.inject('/api/notes?limit=1')).json();
  assert.deepEqual(newest, created.json());

  assert.equal((await app.inject({ method: 'DELETE', url: `/api/notes/${id}` })).statusCode, 204);
  assert.equal((await app.inject({ method: 'DELETE', url: `/api/notes/${id}` })).statusCode, 404);
});

test('a note that breaks the contract is refused with every fault', async () => {
  const response = await app.inject({ method: 'POST', url: '/api/notes', payload: { author: '' } });
  assert.equal(response.statusCode, 422);
  const { errors } = response.json();
  assert.deepEqual(
    errors.map(({ field }) => field),
    ['body.author', 'body.text'],
  );
});

test('the API document describes the routes', async () => {
  const { paths } = (await app.inject('/openapi.json')).json();
  assert.deepEqual(Object.keys(paths['/api/notes'] ?? {}), ['get', 'post']);
  assert.ok(JSON.stringify(paths['/api/notes']).includes('"maxLength":500'));
});

test('old notes are removed at night', async () => {
  const ctx = app.mockContext();
  const { id } = ctx.service.note.create(note);
  await app.runSchedule('remove_old_notes');
  assert.ok(ctx.service.note.list(100).some((each) => each.id === id));
  app.sqlite.run('UPDATE notes SET created_at = ? WHERE id = ?', '2020-01-01T00:00:00.000Z', id);
  await app.runSchedule('remove_old_notes');
  assert.ok(!ctx.service.note.list(100).some((each) => each.id === id));
});
