import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { optionsOf } from '../../cli/parse.js';
import { fixture, ROOT, startTestCluster } from '../support/apps.js';
import { request } from '../support/http.js';

const page = readFileSync(path.join(ROOT, 'docs/deployment.md'), 'utf8');

test('docs/deployment.md: every flag of `clutch start` that the page names exists', async () => {
  const { command } = await import('../../cli/commands/run/start.js');
  const known = Object.keys(optionsOf(command));
  const commands = page.match(/clutch start [^\n]*|CMD \[.*\]|with `--pre[^\n]*/g) ?? [];
  const named = commands.flatMap((line) => [...line.matchAll(/--([\w-]+)/g)].map(([, flag]) => flag as string));
  assert.ok(named.includes('pre-stop-delay') && named.includes('admin-port') && named.includes('port'));
  for (const flag of named) assert.ok(known.includes(flag), flag);
});

test('docs/deployment.md: the probes answer 200 once the app is started', async (t) => {
  const cluster = await startTestCluster(t, { baseDir: fixture('faulty'), workers: 1, admin: { port: 0 } });
  const probes = [...page.matchAll(/^ *(?:startup|readiness|liveness)Probe:.*path: (\/\w+)/gm)].map(([, at]) => at);
  assert.deepEqual(probes, ['/startupz', '/readyz', '/livez']);
  for (const at of probes) assert.equal((await request(`${await cluster.admin()}${at}`)).status, 200);
});
