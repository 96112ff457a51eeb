// One server of the comparison: node servers.mjs <subject>, told by PORT, ROUTES, MIDDLEWARES, WORKERS and PEERS.
import cluster from 'node:cluster';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { requirePeer } from '../peers.mjs';

const [subject] = process.argv.slice(2);
const env = process.env;
const PORT = Number(env.PORT);
const ROUTES = Number(env.ROUTES ?? 1);
const MIDDLEWARES = Number(env.MIDDLEWARES ?? 0);
const WORKERS = Number(env.WORKERS ?? 1);
const body = () => ({ hello: 'world' });

/** All routes but the one that is asked for. */
function otherPaths() {
  return Array.from({ length: ROUTES - 1 }, (_, index) => `/api/resource${index}/:id`);
}

function raw() {
  http
    .createServer((_req, res) => {
      const text = JSON.stringify(body());
      res.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(text),
      });
      res.end(text);
    })
    .listen(PORT);
}

function koa(withRouter) {
  const Koa = requirePeer(env.PEERS, 'koa');
  const app = new Koa();
  for (let index = 0; index < MIDDLEWARES; index += 1) app.use(async (_ctx, next) => next());
  const answer = async (ctx) => {
    ctx.body = body();
  };
  if (!withRouter) app.use(answer);
  else {
    const Router = requirePeer(env.PEERS, '@koa/router');
    const router = new (Router.default ?? Router)();
    for (const route of otherPaths()) router.get(route, answer);
    router.get('/api/users/:id', answer);
    router.get('/', answer);
    app.use(router.routes());
  }
  app.listen(PORT);
}

async function fastify() {
  const app = requirePeer(env.PEERS, 'fastify')();
  for (let index = 0; index < MIDDLEWARES; index += 1) app.addHook('onRequest', async () => undefined);
  for (const route of [...otherPaths(), '/api/users/:id', '/']) app.get(route, async () => body());
  await app.listen({ port: PORT, host: '::' });
}

async function nest() {
  const { Controller, Get, Module } = requirePeer(env.PEERS, '@nestjs/common');
  const { NestFactory } = requirePeer(env.PEERS, '@nestjs/core');
  const { FastifyAdapter } = requirePeer(env.PEERS, '@nestjs/platform-fastify');
  requirePeer(env.PEERS, 'reflect-metadata');
  class Home {}
  for (const [index, route] of [...otherPaths(), '/api/users/:id', '/'].entries()) {
    const name = `route${index}`;
    Home.prototype[name] = async () => body();
    Get(route)(Home.prototype, name, Object.getOwnPropertyDescriptor(Home.prototype, name));
  }
  Controller()(Home);
  class App {}
  Module({ controllers: [Home] })(App);
  const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
  await app.listen(PORT, '::');
}

async function midway() {
  const { Configuration, Controller, Get } = requirePeer(env.PEERS, '@midwayjs/core');
  const { Bootstrap } = requirePeer(env.PEERS, '@midwayjs/bootstrap');
  class Home {}
  for (const [index, route] of [...otherPaths(), '/api/users/:id', '/'].entries()) {
    const name = `route${index}`;
    Home.prototype[name] = async () => body();
    Get(route)(Home.prototype, name, Object.getOwnPropertyDescriptor(Home.prototype, name));
  }
  Controller('/')(Home);
  class Main {}
  Configuration({ imports: [requirePeer(env.PEERS, '@midwayjs/koa')] })(Main);
  await Bootstrap.configure({
    appDir: env.SCRATCH,
    baseDir: env.SCRATCH,
    imports: [Main],
    preloadModules: [Home],
    moduleDetector: false,
    globalConfig: {
      keys: 'bench',
      koa: { port: PORT },
      midwayLogger: { default: { level: 'warn', dir: env.SCRATCH } },
    },
  }).run();
}

/** An app in Egg's layout, for Egg and for Clutch. */
function eggApp(stack) {
  const dir = path.join(env.SCRATCH, `${subject}-${ROUTES}-${MIDDLEWARES}-${stack}`);
  mkdirSync(path.join(dir, 'app/middleware'), { recursive: true });
  mkdirSync(path.join(dir, 'config'), { recursive: true });
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "bench", "egg": {} }');
  const names = Array.from({ length: MIDDLEWARES }, (_, index) => `noop${index}`);
  for (const name of names) {
    writeFileSync(path.join(dir, `app/middleware/${name}.js`), 'module.exports = () => async (ctx, next) => next();');
  }
  const off = ['meta', 'siteFile', 'notfound', 'bodyParser', 'overrideMethod']
    .map((name) => `exports.${name} = { enable: false };`)
    .join('\n');
  writeFileSync(
    path.join(dir, 'config/config.default.js'),
    `exports.keys = 'bench';\nexports.middleware = ${JSON.stringify(names)};\n${stack === 'off' ? off : ''}`,
  );
  writeFileSync(
    path.join(dir, 'app/router.js'),
    `module.exports = ({ router }) => {
       const answer = async (ctx) => { ctx.body = { hello: 'world' }; };
       for (const path of ${JSON.stringify(otherPaths())}) router.get(path, answer);
       router.get('/api/users/:id', answer);
       router.get('/', answer);
     };`,
  );
  return dir;
}

async function clutch(stack, scheduling = 'rr') {
  const { startCluster } = await import('../../dist/cluster/index.js');
  await startCluster({ baseDir: env.APP ?? eggApp(stack), workers: WORKERS, port: PORT, scheduling });
}

async function clutchWithGc() {
  const { startCluster } = await import('../../dist/cluster/index.js');
  await startCluster({ baseDir: env.APP, workers: 1, port: PORT, execArgv: ['--expose-gc'] });
}

function egg() {
  const framework = path.join(env.PEERS, 'node_modules/egg');
  requirePeer(env.PEERS, 'egg').startCluster({
    baseDir: env.APP ?? eggApp('on'),
    framework,
    workers: WORKERS,
    port: PORT,
  });
}

const SUBJECTS = {
  'node:http': raw,
  koa: () => koa(false),
  'koa + @koa/router': () => koa(true),
  fastify,
  'nest + fastify': nest,
  midway,
  'egg 3': egg,
  'egg 4': egg,
  clutch: () => clutch('on'),
  'clutch, stack off': () => clutch('off'),
  'clutch, scheduling shared': () => clutch('on', 'shared'),
  'clutch with gc': clutchWithGc,
};

// What has no cluster of its own runs in Node's when more than one worker, or a boot, is asked for.
const hasOwnCluster = /^(?:egg|clutch)/.test(subject);
if (!hasOwnCluster && env.CLUSTER && cluster.isPrimary) for (let index = 0; index < WORKERS; index += 1) cluster.fork();
else await SUBJECTS[subject]();
