import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkClients } from '../../../cli/doctor/checks/clients.js';
import { type ContainerFacts, checkContainer } from '../../../cli/doctor/checks/container.js';
import { checkPort } from '../../../cli/doctor/checks/port.js';
import { checkRuntime, type RuntimeFacts } from '../../../cli/doctor/checks/runtime.js';
import { nearest } from '../../../resolve/nearest.js';

const RUNTIME: RuntimeFacts = {
  node: '24.1.0',
  engines: [{ from: 'koa-clutch', range: '>=20.19.0' }],
  timeZone: 'Asia/Shanghai',
  locale: 'C.UTF-8',
  hasFullIcu: true,
  now: 1000,
  newestFile: 500,
  fileLimit: 65_536,
};
const runtime = (facts: Partial<RuntimeFacts>): string[] =>
  checkRuntime({ ...RUNTIME, ...facts }).map(({ level, what }) => `${level}: ${what}`);

test('Node below the range is an error with the least version that will do', () => {
  const [finding] = checkRuntime({ ...RUNTIME, node: '18.20.0' });
  assert.equal(finding?.level, 'error');
  assert.equal(finding?.fix, 'nvm install 20.19.0, or another version of the range');
  assert.deepEqual(runtime({ engines: [{ from: 'app', range: 'latest' }] }), [
    'error: Node 24.1.0 is not in the range "latest"',
  ]);
  assert.match(runtime({ node: '23.0.0' })[0] ?? '', /^note: Node 23 is none of the versions/);
  assert.deepEqual(runtime({}), []);
});

test('ICU without languages, and few open files', () => {
  assert.match(runtime({ hasFullIcu: false })[0] ?? '', /^warning: this Node knows English only/);
  assert.match(runtime({ fileLimit: 256 })[0] ?? '', /^warning: a process may have 256 open files/);
  assert.match(runtime({ fileLimit: 1024 })[0] ?? '', /^note: /);
  assert.deepEqual(runtime({ fileLimit: undefined }), []);
});

const MIB = 1024 * 1024;
const CONTAINER: ContainerFacts = {
  cpus: 64,
  usableCpus: 2,
  memory: 8192 * MIB,
  isMemoryLimited: true,
  heapLimit: 2048 * MIB,
  workers: undefined,
};

test('more workers than CPUs or memory', () => {
  assert.deepEqual(checkContainer(CONTAINER), []);
  const [cpus] = checkContainer({ ...CONTAINER, workers: 3 });
  assert.equal(cpus?.what, '3 workers share 2 of 64 CPUs');
  const [memory] = checkContainer({ ...CONTAINER, memory: 350 * MIB });
  assert.match(memory?.what ?? '', /need about 400 MiB, and there are 350 MiB/);
  assert.match(memory?.fix ?? '', /--workers 1,/);
  const [heap] = checkContainer({ ...CONTAINER, memory: 1024 * MIB });
  assert.equal(heap?.level, 'note');
  assert.match(heap?.fix ?? '', /--max-memory 273 /);
});

test('a port that may not be used, and one whose holder cannot be seen', () => {
  const facts = { port: 80, holder: undefined, master: undefined };
  assert.match(checkPort({ ...facts, problem: 'EACCES' })[0]?.fix ?? '', /from 1024 on/);
  assert.match(checkPort({ ...facts, problem: 'EADDRINUSE' })[0]?.fix ?? '', /^sudo ss -ltnp 'sport = :80'/);
});

test('the nearest name', () => {
  assert.equal(nearest('sesion', ['session', 'version']), 'session');
  assert.equal(nearest('BodyParser', ['bodyParser']), 'bodyParser');
  assert.equal(nearest('weather', ['watcher', 'view']), 'watcher');
  assert.equal(nearest('lonely', ['logger', 'session']), undefined);
  assert.equal(nearest('a', ['b']), undefined);
});

test('packages of a server that are not installed', () => {
  const facts = { key: 'jobs.engine', value: 'redis', packages: ['bullmq', 'ioredis'], isInstalled: () => false };
  assert.deepEqual(checkClients([facts]), [
    {
      level: 'error',
      what: 'bullmq, ioredis are not installed, and the app does not boot',
      where: 'config.jobs.engine is "redis"',
      fix: 'npm install bullmq ioredis',
    },
  ]);
  assert.match(
    checkClients([{ ...facts, isInstalled: (name) => name === 'ioredis' }])[0]?.what ?? '',
    /^bullmq is not/,
  );
  assert.deepEqual(checkClients([{ ...facts, isInstalled: () => true }]), []);
});
