import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startCluster } from 'koa-clutch';
import { stickySlot } from '../../../cluster/listen/sticky.js';
import { quotaOf, usableCpus } from '../../../cluster/options/cpu_quota.js';
import { parseClusterOptions, supportsReusePort } from '../../../cluster/options/options.js';
import { inspectorPort } from '../../../cluster/protocol/protocol.js';
import { CLI, copyFixture, fixture, temporaryDirectory } from '../../support/apps.js';

const baseDir = fixture('faulty');

test('every option that is not usable is named before anything is forked', async () => {
  const wrong: [object, RegExp][] = [
    [{ baseDir: 7 }, /option baseDir is 7/],
    [{ workers: -1 }, /option workers is -1/],
    [{ workers: 0, maxMemory: 500 }, /option maxMemory is 500\n {2}Leave it out: with workers: 0 there is one process/],
    [
      { workers: 0, execArgv: ['--inspect'] },
      /option execArgv.*\n {2}Give it to node itself, or by NODE_OPTIONS: with/,
    ],
    [{ workers: 'all' }, /option workers is "all"/],
    [
      { workers: { min: 3, max: 2 } },
      /option workers is {"min":3,"max":2}\n {2}Give { min, max }, min no more than max/,
    ],
    [{ workers: '0-2' }, /option workers.min is "0"/],
    [{ workers: { min: 1 } }, /option workers is/],
    [{ port: -1 }, /option port is -1/],
    [{ debugPort: 'x' }, /option debugPort/],
    [{ sticky: 'yes' }, /option sticky is "yes"/],
    [{ scheduling: 'random' }, /option scheduling is "random"\n {2}Give one of: rr, least, shared, reusePort/],
    [{ startMode: 'thread' }, /option startMode is "thread"/],
    [{ ports: [7001] }, /option ports/],
    [{ startMode: 'worker_threads', workers: 2 }, /option workers is 2/],
    [{ startMode: 'worker_threads', ports: [7001], sticky: true }, /option sticky/],
    [{ killTimeout: 'soon' }, /option killTimeout/],
    [{ hangTimeout: -1 }, /option hangTimeout/],
    [{ maxMemory: 1.5 }, /option maxMemory/],
    [{ maxRequests: {} }, /option maxRequests/],
    [
      { maxMemory: 500, maxMemoryHard: 400 },
      /option maxMemoryHard is 400\n {2}It kills; give more than maxMemory \(500\)/,
    ],
    [{ maxLoopDelay: 'x' }, /option maxLoopDelay/],
    [{ maxAge: -1 }, /option maxAge/],
    [{ requestTimeout: 1.5 }, /option requestTimeout/],
    [{ admin: {} }, /option admin is {}/],
    [{ admin: { port: 'x' } }, /option admin.port/],
    [{ require: [1] }, /option require/],
    [{ env: 1 }, /option env/],
    [{ https: { key: 1, cert: 2 } }, /option https.key/],
    [{ https: { key: '/no.key', cert: '/no.cert' } }, /\/no.key should exist\n {2}option https.key/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(
      startCluster({ baseDir, ...options }),
      { name: 'ClutchError', message },
      JSON.stringify(options),
    );
  }
});

test('keys of the app pass through, and a near-miss of ours is warned about', () => {
  const warnings: string[] = [];
  const options = parseClusterOptions(
    { baseDir, mine: 1, worker: 2, Sticky: true, hangTimout: 3, maxMemroy: 4 },
    (warning) => warnings.push(warning),
  );
  assert.equal(options['mine'], 1);
  assert.equal(warnings.length, 4);
  for (const name of ['workers', 'sticky', 'hangTimeout', 'maxMemory']) {
    assert.ok(
      warnings.some((warning) => warning.endsWith(`did you mean ${name}?`)),
      warnings.join('\n'),
    );
  }
});

test('flags of the command line and the documentation come from the table of options', async () => {
  const { OPTIONS } = await import('../../../cluster/options/option_table.js');
  const help = spawnSync(process.execPath, [CLI, 'start', '--help'], { encoding: 'utf8' }).stdout.replaceAll(
    /\s+/g,
    ' ',
  );
  const page = readFileSync('docs/cluster.md', 'utf8');
  for (const [name, { flags = [], meaning }] of Object.entries(OPTIONS)) {
    assert.ok(page.includes(`| \`${name}\` |`) && page.includes(meaning), name);
    for (const flag of flags) {
      assert.ok(help.includes(`--${flag.name}`) && help.includes(flag.help), flag.name);
    }
  }
});

test('the option https without a port means 8443', () => {
  const https = { key: 'test/fixtures/tls/key.pem', cert: 'test/fixtures/tls/cert.pem' };
  assert.equal(parseClusterOptions({ baseDir, https }).port, 8443);
  assert.equal(parseClusterOptions({ baseDir, https, port: 1 }).port, 1);
  assert.equal(parseClusterOptions({ baseDir, https: false }).port, undefined);
});

test('keys and certificates may be buffers', () => {
  const key = readFileSync('test/fixtures/tls/key.pem');
  const cert = readFileSync('test/fixtures/tls/cert.pem');
  assert.deepEqual(parseClusterOptions({ baseDir, https: { key, cert } }).https, {
    key: String(key),
    cert: String(cert),
  });
});

test('reusePort is used where Node and the system have it, else rr with a warning', () => {
  assert.equal(supportsReusePort('22.12.0', 'linux'), true);
  assert.equal(supportsReusePort('22.11.0', 'linux'), false);
  assert.equal(supportsReusePort('23.0.0', 'linux'), false);
  assert.equal(supportsReusePort('24.1.0', 'darwin'), false);
  const warnings: string[] = [];
  const { scheduling } = parseClusterOptions({ baseDir, reusePort: true }, (warning) => warnings.push(warning));
  assert.equal(scheduling, supportsReusePort() ? 'reusePort' : 'rr');
  assert.equal(warnings.length, supportsReusePort() ? 0 : 1);
});

test('the number of processors follows the quota of the control group', (t) => {
  assert.equal(quotaOf('150000 100000'), 1.5);
  assert.equal(quotaOf('max 100000'), undefined);
  assert.equal(quotaOf('-1 100000'), undefined);
  const root = temporaryDirectory(t);
  assert.equal(usableCpus(root), availableParallelism());
  for (const file of ['cpu.max', 'cpu/cpu.cfs_quota_us'])
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, 'cpu.max'), '50000 100000');
  writeFileSync(path.join(root, 'cpu/cpu.cfs_quota_us'), '50000');
  writeFileSync(path.join(root, 'cpu/cpu.cfs_period_us'), '100000');
  assert.equal(usableCpus(root), 1);
});

test('sticky slots are spread evenly, and only the clients of an empty slot move', () => {
  const clients = [
    ...Array.from({ length: 500 }, (_, index) => `10.0.${index >> 8}.${index & 255}`),
    ...Array.from({ length: 500 }, (_, index) => `2001:db8::${index.toString(16)}`),
  ];
  const slots = [0, 1, 2, 3];
  const counts = new Map<number | undefined, number>();
  for (const client of clients) {
    const slot = stickySlot(client, slots);
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
    if (slot !== 2) assert.equal(stickySlot(client, [0, 1, 3]), slot);
  }
  for (const count of counts.values()) assert.ok(count > 180 && count < 320, [...counts.values()].join(', '));
  assert.equal(stickySlot('::ffff:10.0.0.1', slots), stickySlot('10.0.0.1', slots));
  assert.equal(stickySlot('10.0.0.1', []), undefined);
});

test('inspectors of blocked processes take no port that a system may have given to a client', () => {
  for (const pid of [1, 2, 19_999, 26_964, 32_768, 4_194_304]) {
    const port = inspectorPort(pid);
    assert.ok(port >= 10_000 && port < 32_768, `${pid}: ${port}`);
  }
});

test('a program given to node with -e starts a cluster', async (t) => {
  const app = copyFixture(t, 'faulty');
  const program = `
    const { startCluster } = await import('koa-clutch');
    const cluster = await startCluster({ baseDir: ${JSON.stringify(app)}, workers: 1, port: 0 });
    const { status } = await fetch(cluster.address);
    await cluster.close();
    console.log('answered', status);`;
  for (const options of [
    ['--input-type=module', '-e', program],
    ['-p', '-e', `(async () => {${program}})()`],
    ['--no-deprecation', '--input-type', 'module', `--eval=${program}`],
  ]) {
    const child = spawn(process.execPath, options, {
      env: { ...process.env, EGG_HOME: temporaryDirectory(t), NODE_TEST_CONTEXT: undefined },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    assert.equal(code, 0);
    assert.match(output, /answered \d+/);
  }
});
