// What is measured, of whom. Ratios are to koa in the same round.

/** Packages of each peer; an empty list needs none. */
export const PEERS = {
  'node:http': [],
  koa: ['koa@3', '@koa/router@15', '@koa/bodyparser@6', 'koa-static@5'],
  'koa + @koa/router': ['koa@3', '@koa/router@15', '@koa/bodyparser@6', 'koa-static@5'],
  fastify: ['fastify@5'],
  'nest + fastify': [
    '@nestjs/common@11',
    '@nestjs/core@11',
    '@nestjs/platform-fastify@11',
    'reflect-metadata',
    'rxjs@7',
  ],
  midway: ['@midwayjs/core@4', '@midwayjs/koa@4', '@midwayjs/bootstrap@4', '@midwayjs/logger@4'],
  'egg 3': ['egg@3'],
  'egg 4': ['egg@4'],
};

export const THROUGHPUT = [
  {
    name: 'one route',
    path: '/api/users/7',
    env: {},
    subjects: [
      ...Object.keys(PEERS),
      'clutch',
      'clutch, plugins off',
      'clutch, no middleware',
      'clutch, asyncContext off',
      'clutch, http.fast off',
    ],
    /** Compared with one another, not only with koa. */
    beside: [
      ['clutch', 'egg 3'],
      ['clutch, no middleware', 'koa + @koa/router'],
      ['clutch', 'fastify'],
      ['clutch', 'node:http'],
      ['clutch', 'clutch, plugins off'],
      ['clutch', 'clutch, asyncContext off'],
      ['clutch', 'clutch, http.fast off'],
    ],
  },
  {
    name: '1,000 routes',
    path: '/api/users/7',
    env: { ROUTES: '1000' },
    subjects: ['koa', 'koa + @koa/router', 'fastify', 'midway', 'egg 3', 'clutch', 'clutch, no middleware'],
    /** Run with one route as well. */
    single: ['clutch', 'clutch, no middleware'],
  },
  {
    name: '10 middlewares',
    path: '/',
    env: { MIDDLEWARES: '10' },
    subjects: ['koa', 'fastify', 'egg 3', 'clutch', 'clutch, no middleware'],
  },
  {
    name: 'POST of 1 KB JSON',
    path: '/api/users/7',
    env: { POST: '1' },
    load: { body: JSON.stringify({ name: 'clutch', tags: ['koa', 'egg'], text: 'x'.repeat(960) }) },
    subjects: ['koa', 'fastify', 'egg 3', 'clutch'],
    beside: [['clutch', 'fastify']],
  },
  {
    name: 'static file of 10 KB',
    path: '/public/10k.txt',
    env: { STATIC: '1' },
    subjects: ['koa', 'egg 3', 'clutch'],
  },
  {
    name: 'short connections',
    path: '/api/users/7',
    env: { CLUSTER: '1' },
    load: { close: true, connections: 8 },
    subjects: ['koa', 'fastify', 'egg 3', 'clutch', 'clutch, scheduling shared'],
  },
  {
    name: '2 workers',
    path: '/api/users/7',
    env: { WORKERS: '2', CLUSTER: '1' },
    subjects: ['koa', 'egg 3', 'clutch'],
  },
];

/** With `--beside`, a checkout of Clutch to compare with. */
export const BEFORE = 'clutch, before';

export const LATENCY = ['koa', 'fastify', 'egg 3', 'clutch'];
export const BOOT = ['koa', 'egg 3', 'egg 4', 'clutch'];
export const BOOT_WORKERS = [1, 2, 4, 8];
/** An app of this size, in Egg's layout, for those who load one. */
export const BIG_APP = { controllers: 300, services: 300, plugins: 30, leaves: 1000 };
export const BIG_BOOT = ['egg 3', 'egg 4', 'clutch'];
