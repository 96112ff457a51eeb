import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type KoaClass from 'koa';
import { Application } from 'koa-clutch';
import { KOA_MEMBERS } from '../../core/koa_base.js';
import { loadAgent, loadApp } from '../support/loaded_app.js';

// Koa is loaded late in Agents, and only there. Once it is loaded, the next Agent has it from the start.

const require = createRequire(import.meta.url);
const isKoaLoaded = (): boolean => Object.keys(require.cache).some((file) => /koa.lib.application\.js$/.test(file));
const extend = { 'app/extend/context.js': "module.exports = { get greeting() { return 'hi ' + this.path; } };" };

test('an Agent loads Koa when something of it is used', async (t) => {
  const agent = loadAgent(t, extend);
  await agent.ready();
  assert.equal(isKoaLoaded(), false);
  // agent.js may be the first to use any of it.
  const other = loadAgent(t, {
    'agent.js': `module.exports = (agent) => {
      agent.subdomainOffset = 4;
      agent.use(async () => undefined);
      agent.context.added = true;
    };`,
  });
  assert.equal(isKoaLoaded(), true);
  await other.ready();
  assert.equal(other.subdomainOffset, 4);
  assert.equal(other.middleware.length, 1);
  assert.equal((other.createAnonymousContext() as unknown as { added: boolean }).added, true);
  const ctx = agent.createAnonymousContext({ url: '/there' }) as unknown as Record<string, unknown>;
  assert.equal(ctx['greeting'], 'hi /there');
  assert.deepEqual(ctx['state'], {});
  ctx['body'] = { a: 1 };
  assert.equal(ctx['status'], 200);
  const Koa = require('koa') as typeof KoaClass;
  assert.ok(agent instanceof Koa);
  assert.equal(agent.onerror, Koa.prototype.onerror);
  assert.equal(agent.subdomainOffset, 2);
  agent.subdomainOffset = 3;
  assert.equal(agent.toJSON()['subdomainOffset'], 3);
  assert.match(inspect(agent), /subdomainOffset: 3/);
});

test('an Application is one of Koa from the start, and has the members that are deferred in an Agent', (t) => {
  const app = loadApp(t);
  const Koa = require('koa') as typeof KoaClass;
  assert.ok(app instanceof Koa);
  assert.ok(Application.prototype instanceof Koa);
  const own = Object.keys(new Koa()).filter((name) => !name.startsWith('_'));
  assert.deepEqual([...own, 'onerror'].sort(), [...KOA_MEMBERS].sort());
});
