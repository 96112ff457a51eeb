import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Controller, Service, Subscription } from 'koa-clutch';
import { loadAgent, loadApp } from '../../support/loaded_app.js';

test('Agent and app have the base classes that plugins extend, with a logger', (t) => {
  for (const app of [loadApp(t), loadAgent(t)]) {
    assert.deepEqual([app.Controller, app.Service, app.Subscription], [Controller, Service, Subscription]);
    class Own extends app.BaseContextClass {}
    const ctx = app.createAnonymousContext();
    assert.equal(typeof new Own(ctx).logger.info, 'function');
  }
});
