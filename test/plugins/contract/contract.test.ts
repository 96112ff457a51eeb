import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type } from 'arktype';
import { type Application, type ContextOf, contract } from 'koa-clutch';
import * as v from 'valibot';
import { z } from 'zod';
import { loadApp, serve } from '../../support/loaded_app.js';

const note = z.object({ id: z.number().int(), title: z.string() });

/** Lets a test register routes as app/router does. */
function appWith(t: Parameters<typeof loadApp>[0], register: (app: Application) => void, options = {}) {
  const app = loadApp(t, { 'config/config.default.js': `exports.security = { csrf: { enable: false } };` }, options);
  register(app);
  return serve(t, app);
}

const post = (body: unknown, headers = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

test('a request that meets its contract reaches the handler with what the schemas made of it', async (t) => {
  const ask = await appWith(t, (app) => {
    const schemas = {
      params: z.object({ id: z.coerce.number() }),
      query: z.object({ draft: z.stringbool().default(false) }),
      body: z.object({ title: z.string().trim(), tags: z.array(z.string()).default([]) }),
      response: note,
    };
    app.post(
      '/notes/:id',
      contract(schemas, (ctx) => {
        const { params, query, body } = ctx.valid;
        const types: [number, boolean, string[]] = [params.id, query.draft, body.tags];
        assert.deepEqual(types, [7, true, []]);
        ctx.body = { id: params.id, title: body.title };
      }),
    );
  });
  const { status, body } = await ask('/notes/7?draft=true', post({ title: ' hello ' }));
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), { id: 7, title: 'hello' });
});

test('422 lists every fault with its path, and the handler does not run', async (t) => {
  const ask = await appWith(t, (app) => {
    const create = contract({
      query: z.object({ page: z.coerce.number().int() }),
      headers: z.object({ 'x-key': z.string() }),
      body: z.object({ title: z.string(), tags: z.array(z.string()) }),
    });
    app.post('/notes', create, (ctx) => {
      ctx.body = 'never';
    });
  });
  const response = await ask('/notes?page=x', post({ title: 1, tags: ['a', 2] }));
  assert.equal(response.status, 422);
  const { code, message, errors } = JSON.parse(response.body);
  assert.deepEqual([code, message], ['invalid_param', 'Validation Failed']);
  assert.deepEqual(
    errors.map(({ field }: { field: string }) => field),
    ['query.page', 'headers.x-key', 'body.title', 'body.tags[1]'],
  );
  assert.equal((await ask('/notes?page=1', { method: 'POST' })).status, 422);
});

test('a contract types the context of a controller', async (t) => {
  const schemas = { params: z.object({ id: z.coerce.number() }) };
  const show = contract(schemas);
  class NoteController {
    show(ctx: ContextOf<typeof show>): void {
      const { id }: { id: number } = ctx.valid.params;
      ctx.body = { id };
    }
  }
  const ask = await appWith(t, (app) => {
    app.get(
      '/notes/:id',
      contract(schemas, (ctx) => new NoteController().show(ctx)),
    );
  });
  assert.deepEqual(JSON.parse((await ask('/notes/3')).body), { id: 3 });
  assert.equal((await ask('/notes/three')).status, 422);
});

test('a contract stands in front of a controller that a route names', async (t) => {
  const app = loadApp(t, {
    'app/router.js': `
      const { contract } = require('koa-clutch');
      const isNumber = { version: 1, vendor: 'own', validate: ({ id }) => /^\\d+$/.test(id)
        ? { value: { id: Number(id) } } : { issues: [{ message: 'is no number', path: ['id'] }] } };
      module.exports = (app) => app.get('/notes/:id', contract({ params: { '~standard': isNumber } }), 'note.show');`,
    'app/controller/note.js': `
      const { Controller } = require('koa-clutch');
      module.exports = class extends Controller { show() { this.ctx.body = this.ctx.valid.params; } };`,
  });
  const ask = await serve(t, app);
  assert.deepEqual(JSON.parse((await ask('/notes/3')).body), { id: 3 });
  assert.match((await ask('/notes/three')).body, /"field":"params.id","message":"is no number"/);
});

test('schemas of valibot and arktype work, also those that are asynchronous', async (t) => {
  const ask = await appWith(t, (app) => {
    const free = v.pipeAsync(
      v.string(),
      v.checkAsync(async (name) => name !== 'taken', 'is taken'),
    );
    app.post(
      '/users',
      contract({ body: v.objectAsync({ name: free }), query: type({ 'role?': "'admin' | 'user'" }) }, (ctx) => {
        ctx.body = { name: ctx.valid.body.name, role: ctx.valid.query.role ?? 'user' };
      }),
    );
  });
  assert.deepEqual(JSON.parse((await ask('/users', post({ name: 'new' }))).body), { name: 'new', role: 'user' });
  const { errors } = JSON.parse((await ask('/users?role=root', post({ name: 'taken' }))).body);
  assert.deepEqual(errors.map(({ field }: { field: string }) => field).sort(), ['body.name', 'query.role']);
});

test('a response against its contract is an error in unittest, and is not looked at in production', async (t) => {
  const register = (app: Application): void => {
    app.on('error', () => undefined);
    app.get(
      '/notes',
      contract({ response: { 200: note } }, (ctx) => {
        ctx.body = { id: 'one' } as never;
      }),
    );
  };
  const checked = await (await appWith(t, register))('/notes', { headers: { accept: 'application/json' } });
  assert.equal(checked.status, 500);
  assert.match(checked.body, /ERR_CLUTCH_CONTRACT.*GET \/notes answers 200 against its contract/);
  assert.match(checked.body, /response\.id.*response\.title/s);
  const unchecked = await (await appWith(t, register, { env: 'prod' }))('/notes');
  assert.deepEqual([unchecked.status, unchecked.body], [200, '{"id":"one"}']);
});

test('GET /openapi.json tells the routes that have a contract', async (t) => {
  const register = (app: Application): void => {
    app.get('/plain', (ctx) => {
      ctx.body = 'not in the document';
    });
    app.post(
      'create_note',
      '/notes/:id',
      contract({
        summary: 'Makes a note',
        params: z.object({ id: z.string() }),
        query: z.object({ draft: z.string().optional() }),
        body: type({ title: 'string' }),
        response: { 201: note },
      }),
      (ctx) => {
        ctx.status = 201;
      },
    );
  };
  const ask = await appWith(t, register, { env: 'local' });
  const document = JSON.parse((await ask('/openapi.json')).body);
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(Object.keys(document.paths), ['/notes/{id}']);
  const { post: operation } = document.paths['/notes/{id}'];
  assert.equal(operation.operationId, 'create_note');
  assert.deepEqual(operation.parameters, [
    { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
    { name: 'draft', in: 'query', schema: { type: 'string' } },
  ]);
  assert.deepEqual(operation.requestBody.content['application/json'].schema.required, ['title']);
  assert.deepEqual(operation.responses['201'].content['application/json'].schema.required, ['id', 'title']);
  assert.ok(operation.responses['422']);
  const page = await ask('/openapi');
  assert.match(page.headers['content-type'] ?? '', /html/);
  assert.match(page.body, /POST \/notes\/\{id\}/);
  const production = await appWith(t, register, { env: 'prod' });
  assert.equal((await production('/openapi.json')).status, 404);
});
