// One server of the comparison: node servers.mjs <subject>, told by PORT, ROUTES, MIDDLEWARES, WORKERS and PEERS.
import cluster from 'node:cluster';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { requirePeer } from '../peers.mjs';

const [subject] = process.argv.slice(2);
const env = process.env;
const PORT = Number(env.PORT);
const ROUTES = Number(env.ROUTES ?? 1);
const MIDDLEWARES = Number(env.MIDDLEWARES ?? 0);
const WORKERS = Number(env.WORKERS ?? 1);
const POST = env.POST === '1';
const STATIC = env.STATIC === '1';
const body = () => ({ hello: 'world' });

/** All routes but the one that is asked for. */
function otherPaths() {
  return Array.from({ length: ROUTES - 1 }, (_, index) => `/api/resource${index}/:id`);
}

/** The directory with the file that is asked for. */
function staticDirectory(dir) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, '10k.txt'), 'x'.repeat(10 * 1024));
  return dir;
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
  if (POST) {
    const { bodyParser } = requirePeer(env.PEERS, '@koa/bodyparser');
    app.use(bodyParser());
  }
  if (STATIC) {
    staticDirectory(path.join(env.SCRATCH, 'koa-static/public'));
    app.use(requirePeer(env.PEERS, 'koa-static')(path.join(env.SCRATCH, 'koa-static'), { maxage: 31_536_000_000 }));
  }
  const answer = async (ctx) => {
    ctx.body = POST ? { name: ctx.request.body?.name } : body();
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
  if (POST) app.post('/api/users/:id', async (req) => ({ name: req.body.name }));
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

const MIDDLEWARE = ['meta', 'siteFile', 'notfound', 'bodyParser', 'overrideMethod'];
/** The built-in plugins: each directory is one. */
const PLUGINS = readdirSync(new URL('../../dist/plugins', import.meta.url));
const turnedOff = (names) => Object.fromEntries(names.map((name) => [name, { enable: false }]));

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
  const lines = [`exports.keys = 'bench';`, `exports.middleware = ${JSON.stringify(names)};`];
  if (stack === 'no middleware') lines.push(...MIDDLEWARE.map((name) => `exports.${name} = { enable: false };`));
  if (stack === 'asyncContext off') lines.push('exports.asyncContext = false;');
  if (stack === 'http.fast off') lines.push('exports.http = { fast: false };');
  // A token for each POST is not what is compared.
  if (POST) lines.push('exports.security = { csrf: { enable: false } };');
  if (STATIC) staticDirectory(path.join(dir, 'app/public'));
  const without = /^without (.+)$/.exec(stack)?.[1];
  const off = stack === 'plugins off' || stack === 'no middleware' ? PLUGINS : without ? [without] : [];
  writeFileSync(path.join(dir, 'config/plugin.js'), `module.exports = ${JSON.stringify(turnedOff(off))};`);
  writeFileSync(path.join(dir, 'config/config.default.js'), lines.join('\n'));
  writeFileSync(
    path.join(dir, 'app/router.js'),
    `module.exports = ({ router }) => {
       const answer = async (ctx) => { ctx.body = { hello: 'world' }; };
       for (const path of ${JSON.stringify(otherPaths())}) router.get(path, answer);
       router.get('/api/users/:id', answer);
       router.post('/api/users/:id', async (ctx) => { ctx.body = { name: ctx.request.body.name }; });
       router.get('/', answer);
     };`,
  );
  return dir;
}

async function clutch(stack, scheduling = 'rr') {
  // Another checkout of Clutch, built, to be compared with.
  const root = stack === 'before' ? pathToFileURL(`${path.resolve(env.BESIDE)}/`) : new URL('../../', import.meta.url);
  const { startCluster } = await import(new URL('dist/cluster/index.js', root).href);
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
  'clutch, scheduling shared': () => clutch('on', 'shared'),
  'clutch with gc': clutchWithGc,
};

// What has no cluster of its own runs in Node's when more than one worker, or a boot, is asked for.
const hasOwnCluster = /^(?:egg|clutch)/.test(subject);
if (!hasOwnCluster && env.CLUSTER && cluster.isPrimary) for (let index = 0; index < WORKERS; index += 1) cluster.fork();
else if (SUBJECTS[subject]) await SUBJECTS[subject]();
// What stands behind the comma says how its config differs from the default.
else await clutch(subject.split(', ')[1]);
