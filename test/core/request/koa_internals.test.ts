import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import Koa from 'koa';
import { isBodyNull, isStream, keepsFields } from '../../../core/request/koa_internals.js';
import { responsePrototype } from '../../../core/request/koa_prototypes.js';

// What Clutch relies on in Koa, and what happens where it is not so.

const require = createRequire(import.meta.url);
const koaResponse = Object.getPrototypeOf(new Koa().response) as object;

interface Response {
  body: unknown;
  status: number;
}

function responseOf(prototype: object): Response {
  const headers = new Map<string, unknown>();
  const res = {
    statusCode: 404,
    headersSent: false,
    hasHeader: (name: string) => headers.has(name.toLowerCase()),
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    getHeaders: () => Object.fromEntries(headers),
    setHeader: (name: string, value: unknown) => headers.set(name.toLowerCase(), value),
    removeHeader: (name: string) => headers.delete(name.toLowerCase()),
  };
  return Object.assign(Object.create(prototype), { req: { httpVersionMajor: 1 }, res }) as Response;
}

test("Koa's response keeps its body in _body, a status that was set in _explicitStatus, null in _explicitNullBody", () => {
  assert.equal(keepsFields(koaResponse), true);
  const response = responseOf(koaResponse);
  response.body = { a: 1 };
  const fields = response as Response & Record<string, unknown>;
  assert.deepEqual([fields['_body'], fields['_explicitStatus']], [{ a: 1 }, true]);
  assert.equal(isBodyNull(response), false);
  const second = responseOf(koaResponse);
  second.status = 200;
  assert.equal((second as Response & Record<string, unknown>)['_explicitStatus'], true);
  second.body = null;
  assert.equal(isBodyNull(second), true);
});

test('koa/lib/is-stream.js is there, and decides as isStream does which bodies are streams', () => {
  const isStreamOfKoa = require('koa/lib/is-stream.js') as typeof isStream;
  // Not a Stream, but with all its methods: Koa takes it for one.
  const methods = [
    'pipe',
    'read',
    'pause',
    'resume',
    'on',
    'once',
    'removeListener',
    'destroy',
    'unpipe',
    'write',
    'end',
  ];
  const alike = Object.assign(Object.fromEntries(methods.map((name) => [name, () => undefined])), {
    readable: true,
    writable: true,
    readableObjectMode: false,
    destroyed: false,
  });
  for (const body of [new PassThrough(), alike, { pipe: () => undefined }, {}, 'text', null, undefined]) {
    assert.equal(isStream(body), isStreamOfKoa(body));
  }
  assert.equal(isStream(alike), true);
});

test('a response of a Koa that keeps its body elsewhere takes its own code, and closes bodies that are replaced', () => {
  const bodies = new WeakMap<object, unknown>();
  const other = Object.create(koaResponse, {
    body: {
      get(this: object) {
        return bodies.get(this);
      },
      set(this: object, body: unknown) {
        bodies.set(this, body);
      },
    },
  }) as object;
  assert.equal(keepsFields(other), false);
  const response = responseOf(responsePrototype(other));
  const stream = new PassThrough();
  response.body = stream;
  assert.equal(response.body, stream);
  response.body = 'text';
  assert.equal(response.body, 'text');
  assert.equal(stream.destroyed, true);
});
