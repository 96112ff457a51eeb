import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FAST_CLASSES, whyNotFast } from '../../../core/http/fast_path.js';
import { FastResponse } from '../../../core/http/fast_response.js';
import { findDifference } from '../../../core/http/self_check.js';
import { ROOT } from '../../support/apps.js';
import { loadApp, serve, writeApp } from '../../support/loaded_app.js';

const run = promisify(execFile);

/** @returns what a process of its own says of the fast path, after code that is loaded before Clutch */
async function fallbackAfter(code = '', env: NodeJS.ProcessEnv = {}): Promise<string> {
  const script = `${code}
    const { ClutchCore } = require('koa-clutch/core');
    console.log(String(ClutchCore.prototype.httpFallback), Object.keys(ClutchCore.prototype.serverOptions).length);`;
  const options = { cwd: ROOT, env: { ...process.env, CLUTCH_HTTP_FAST: '1', ...env } };
  return (await run(process.execPath, ['-e', script], options)).stdout.trim();
}

test('the fast path is on by default', async () => {
  assert.equal(await fallbackAfter(), 'undefined 2');
});

test('CLUTCH_HTTP_FAST=0 turns it off', async () => {
  assert.equal(await fallbackAfter('', { CLUTCH_HTTP_FAST: '0' }), 'undefined 0');
});

test('config.http.fast = false turns it off', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.http = { fast: false };',
    'app/router.js': `module.exports = (app) => app.get('/', (ctx) => {
      ctx.body = String(ctx.res.constructor === require('http').ServerResponse);
    });`,
  });
  assert.equal((await (await serve(t, app))('/')).body, 'true');
  assert.equal(app.httpFallback, undefined);
});

const TRACERS: Record<string, [code: string, reason: RegExp]> = {
  'a method of ServerResponse under the same name': [
    `const proto = require('http').ServerResponse.prototype;
     const { setHeader } = proto;
     proto.setHeader = { setHeader(...args) { return setHeader.apply(this, args); } }.setHeader;`,
    /ServerResponse\.prototype\.setHeader/,
  ],
  'a method of OutgoingMessage': [
    `const proto = require('http').OutgoingMessage.prototype;
     proto.end = new Proxy(proto.end, { apply: (end, self, args) => Reflect.apply(end, self, args) });`,
    /ServerResponse\.prototype\.end/,
  ],
  'the class ServerResponse': [
    `const http = require('http'); http.ServerResponse = class ServerResponse extends http.ServerResponse {};`,
    /http\.ServerResponse is not Node's own/,
  ],
  'the class IncomingMessage': [
    `const http = require('http'); http.IncomingMessage = new Proxy(http.IncomingMessage, {});`,
    /http\.IncomingMessage is not Node's own/,
  ],
};

for (const [what, [code, reason]] of Object.entries(TRACERS)) {
  test(`Node's own classes are used when a tracer has replaced ${what}`, async () => {
    const seen = await fallbackAfter(code);
    assert.match(seen, reason);
    assert.match(seen, / 0$/);
  });
}

test('a line in the log says, once, that a tracer has replaced something', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'exports.logger = { dir: __dirname, consoleLevel: "NONE" };',
  });
  const [code] = TRACERS['a method of OutgoingMessage'] as [string, RegExp];
  const script = `${code}
    const { Application } = require('koa-clutch');
    const app = new Application({ baseDir: ${JSON.stringify(baseDir)}, env: 'prod', mode: 'single' });
    app.ready().then(() => [app.serverOptions, app.serverOptions, app.close()]);`;
  await run(process.execPath, ['-e', script], { cwd: ROOT, env: { ...process.env, CLUTCH_HTTP_FAST: '1' } });
  const log = readFileSync(path.join(baseDir, 'config/egg-web.log'), 'utf8');
  assert.equal(log.match(/WARN .*Node's own HTTP classes are used.*ServerResponse\.prototype\.end/g)?.length, 1);
});

test('a tracer that wraps the server, as OpenTelemetry does, leaves it on', async () => {
  const code = `const proto = require('http').Server.prototype; const { emit } = proto;
    proto.emit = function (...args) { return emit.apply(this, args); };`;
  assert.equal(await fallbackAfter(code), 'undefined 2');
});

test("on a newer major version than the newest tested one Node's own classes are used", () => {
  assert.match(String(whyNotFast('99.1.0')), /^Node 99\.1\.0 is newer than \d+, /);
});

test('the self-check finds a response and a request that a client would see as different', () => {
  assert.equal(findDifference(http, FAST_CLASSES), undefined);
  class Chatty extends FastResponse {
    override setHeader(name: string, value: string): this {
      return super.setHeader(name, `${value} `);
    }
  }
  class Failing extends FastResponse {
    override write(): boolean {
      throw new Error('no write');
    }
  }
  assert.equal(findDifference(http, { ...FAST_CLASSES, ServerResponse: Chatty }), 'a text with headers');
  assert.match(String(findDifference(http, { ...FAST_CLASSES, ServerResponse: Failing })), /no write/);
  assert.equal(
    findDifference(http, { ...FAST_CLASSES, IncomingMessage: http.IncomingMessage as never }),
    'a request that nobody reads',
  );
});
