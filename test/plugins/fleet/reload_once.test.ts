import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '../../support/apps.js';
import { SKIP, startMachine, startServer, type TestMachine } from '../../support/fleet.js';
import { requestJson } from '../../support/http.js';

/** Every process notes what it gets; the Agent of machine b sends numbers to all, to one of them, and as requests to machine a. */
const FILES = {
  'note.js': `
    const file = require('path').join(__dirname, 'notes.txt');
    module.exports = (app, kind) => {
      const note = (what) => (data) => require('fs').appendFileSync(file, [what, data, kind, process.pid].join(' ') + '\\n');
      app.messenger.fleet.on('all', note('all')).on('one', note('one'));
      app.messenger.fleet.onRequest('ask', (data) => { note('ask')(data); return data; });
    };`,
  'agent.js': `module.exports = class {
    constructor(agent) { this.agent = agent; }
    // Long enough for the Agent before this one to write its entry in the list of machines, and to get messages.
    async willReady() { await new Promise((resolve) => setTimeout(resolve, 1500)); }
    async didLoad() {
      const { agent } = this;
      require('./note')(agent, 'agent');
      const { fleet } = agent.messenger;
      const state = { sent: 0, replied: 0, errors: [] };
      let timer;
      agent.messenger.onRequest('begin', () => {
        timer = setInterval(() => {
          const n = ++state.sent;
          fleet.broadcast('all', n).sendRandom('one', n);
          for (const target of ['a', 'app']) {
            fleet.request(target, 'ask', target + n).then(() => { state.replied += 1; }, (error) => state.errors.push(error.message));
          }
        }, 10);
      });
      agent.messenger.onRequest('end', async () => {
        clearInterval(timer);
        await fleet.flush();
      });
      agent.messenger.onRequest('members', () => agent.fleet.members());
      agent.messenger.onRequest('state', () => ({ ...state, lost: fleet.lost }));
    }
  };`,
  'app.js': "module.exports = (app) => require('./note')(app, 'app');",
  'app/router.js': `module.exports = (app) => {
    app.get('/:what', async (ctx) => { ctx.body = (await app.messenger.request('agent', ctx.params.what)) ?? {}; });
  };`,
};

interface Note {
  what: string;
  data: string;
  kind: string;
  pid: string;
}

function notes({ baseDir }: TestMachine): Note[] {
  const file = path.join(baseDir, 'notes.txt');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [what = '', data = '', kind = '', pid = ''] = line.split(' ');
      return { what, data, kind, pid };
    });
}

function twice(keys: string[]): string[] {
  const seen = new Set<string>();
  return keys.filter((key) => seen.size === seen.add(key).size);
}

for (const kind of ['redis', 'nats'] as const) {
  test(`${kind}: while a machine reloads, nothing that the other one sends arrives twice, and no broadcast or request is lost`, {
    skip: SKIP[kind],
  }, async (t) => {
    const server = await startServer(t, kind);
    const fleet = { adapter: kind, url: server.url };
    const [a, b] = (await Promise.all(['a', 'b'].map((name) => startMachine(t, name, fleet, FILES)))) as [
      TestMachine,
      TestMachine,
    ];
    const ask = (what: string) =>
      requestJson<{ sent: number; replied: number; errors: string[]; lost: number; length?: number }>(
        `${b.cluster.url}/${what}`,
      );
    await until('both are on the list', async () => (await ask('members')).length === 2);
    await ask('begin');
    const last = (machine: TestMachine, what: string): number =>
      Math.max(0, ...notes(machine).flatMap((note) => (note.what === what ? Number(note.data) : [])));
    await until('messages flow', () => last(a, 'all') > 20);
    await a.cluster.reload();
    const reloaded = last(b, 'all');
    await until('messages flow after the reload', () => last(a, 'all') > reloaded + 20);
    await ask('end');
    const state = await until('every request has its reply', async () => {
      const now = await ask('state');
      return now.replied + now.errors.length === 2 * now.sent && now;
    });
    await until('the last message is at a', () => last(a, 'all') === state.sent);
    const atA = notes(a);
    const everywhere = [...atA, ...notes(b)];

    const processes = atA.map(({ what, data, kind, pid }) => `${what} ${data} ${kind} ${pid}`);
    assert.deepEqual(twice(processes), [], 'a process has got a message twice');
    const once = everywhere.filter(({ what }) => what !== 'all').map(({ what, data }) => `${what} ${data}`);
    assert.deepEqual(twice(once), [], 'two processes have got what is for one');

    assert.deepEqual({ errors: state.errors, lost: state.lost }, { errors: [], lost: 0 });
    for (const side of ['agent', 'app']) {
      const numbers = new Set(atA.filter(({ what, kind }) => what === 'all' && kind === side).map(({ data }) => data));
      assert.equal(numbers.size, state.sent, `each number has reached an ${side}`);
    }
    const log = readFileSync(path.join(a.baseDir, 'logs/egg-agent.log'), 'utf8');
    assert.match(log, /a is connected/);
    assert.doesNotMatch(log, /two machines of the fleet/);
  });
}
