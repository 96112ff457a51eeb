import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT, type RunningCluster, startTestCluster } from './apps.js';
import { type Files, writeApp } from './loaded_app.js';
import { type Collector, startCollector } from './otlp_collector.js';

/** Starts an SDK that sends what Clutch publishes. */
const SETUP = `
  import { NodeSDK } from '@opentelemetry/sdk-node';
  import { ClutchInstrumentation } from 'koa-clutch/telemetry';
  new NodeSDK({ instrumentations: [new ClutchInstrumentation()] }).start();`;

/** Workers ask the Agent, which asks another worker, which asks a service beside the app. */
const APP: Files = {
  'config/config.default.js': `
    exports.keys = 'k';
    exports.logger = { consoleLevel: 'NONE', outputJSON: true, dir: require('path').join(__dirname, '../logs') };`,
  'telemetry.mjs': SETUP,
  'remote.js': `module.exports = class Remote {
    constructor() { this.listeners = new Map(); }
    subscribe({ key }, listener) { this.listeners.set(key, listener); }
    publish({ key, value }) { this.listeners.get(key)?.(value); }
    async get(key) { this.logger?.info('remote get'); return 'value of ' + key; }
  };`,
  'agent.js': `const Remote = require('./remote');
    module.exports = class {
      constructor(agent) { this.agent = agent; }
      async didLoad() {
        const { agent } = this;
        agent.remote = agent.cluster(Remote).create();
        agent.messenger.onStream('count', async function* ({ to }) {
          for (let value = 1; value <= to; value += 1) {
            agent.logger.info('counted %d', value);
            yield value;
          }
        });
        agent.messenger.onRequest('ask', async ({ pid }) => {
          agent.logger.info('asked by %s', pid);
          const other = agent.messenger.opids.find((each) => Number(each) !== pid);
          return agent.messenger.request(Number(other), 'work', {});
        });
      }
    };`,
  'app.js': `const Remote = require('./remote');
    module.exports = class {
      constructor(app) { this.app = app; }
      async didLoad() {
        const { app } = this;
        app.remote = app.cluster(Remote).create();
        app.messenger.onRequest('work', async () => {
          const { data } = await app.curl(process.env.TARGET + '/target?token=abcdef', { dataType: 'json' });
          return { pid: process.pid, traceparent: data.traceparent };
        });
        app.messenger.on('note', () => app.logger.info('noted'));
      }
    };`,
  'app/router.js': `module.exports = (app) => {
    app.get('/ask/:id', 'home.ask');
    app.get('/count', async (ctx) => {
      const values = [];
      for await (const value of app.messenger.stream('agent', 'count', { to: 3 })) values.push(value);
      ctx.body = values;
    });
    app.get('/fails', () => { throw new TypeError('no such thing'); });
    app.get('/forbidden', (ctx) => ctx.throw(403, 'no'));
    app.get('/plain', (ctx) => { ctx.body = 'ok'; });
  };`,
  'app/controller/home.js': `module.exports = class extends require('egg').Controller {
    async ask() {
      const { app, ctx } = this;
      ctx.logger.info('asking');
      const worked = await app.messenger.request('agent', 'ask', { pid: process.pid });
      ctx.body = { ...worked, asked: process.pid, remote: await app.remote.get(ctx.params.id), user: await ctx.service.user.find(1) };
      app.messenger.sendToAgent('note', 1);
    }
  };`,
  'app/service/user.js': `module.exports = class extends require('egg').Service {
    async find(id) { return 'user ' + id; }
  };`,
};

export interface TracedCluster {
  collector: Collector;
  cluster: RunningCluster;
  baseDir: string;
}

/** Starts a cluster that sends its traces to a collector, beside a service that responds with the `traceparent` it has got. */
export async function startTraced(
  t: TestContext,
  files: Files = {},
  options: Record<string, unknown> = {},
): Promise<TracedCluster> {
  const collector = await startCollector(t);
  const service = http.createServer((req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify(req.headers));
  });
  await once(service.listen(0, '127.0.0.1'), 'listening');
  t.after(() => service.close());
  const baseDir = writeApp(t, { ...APP, ...files });
  symlinkSync(path.join(ROOT, 'node_modules/@opentelemetry'), path.join(baseDir, 'node_modules/@opentelemetry'), 'dir');
  const TARGET = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const given = { baseDir, workers: 2, telemetry: './telemetry.mjs', ...options };
  const cluster = await startTestCluster(t, given, { ...collector.env, TARGET });
  return { collector, cluster, baseDir };
}
