import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, fixture, ROOT } from '../support/apps.js';
import { loadApp } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

/** @returns the fenced blocks of a page, without their fences */
function examples(page: string): string[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
}

const example = (page: string, holds: string): string => {
  const found = examples(page).find((code) => code.includes(holds));
  assert.ok(found, `${page} has an example with ${holds}`);
  return found;
};

test('docs/config.md: the output of clutch config is what it prints', () => {
  const [command, ...printed] = example('docs/config.md', '$ clutch config').trimEnd().split('\n');
  const args = (command as string).replace('$ clutch ', '').split(' ');
  const output = execFileSync(process.execPath, [CLI, ...args], { cwd: fixture('egg-app'), encoding: 'utf8' });
  assert.equal(output.trimEnd(), printed.join('\n'));
});

test('docs/plugins.md: the output of clutch plugins is what it prints', () => {
  const output = execFileSync(process.execPath, [CLI, 'plugins'], { cwd: fixture('egg-app'), encoding: 'utf8' });
  // Built-in plugins come first, with the paths of this installation.
  const rows = (text: string): string[] => {
    const lines = text.split('\n').filter((line) => !line.includes('koa-clutch/plugins'));
    return lines.map((line) => line.replace(/^\d+ +/, '').replaceAll(/ +/g, ' '));
  };
  assert.deepEqual(rows(output), rows(example('docs/plugins.md', 'from    why')));
});

test('docs/plugins.md: the plugin example declares what it says', (t) => {
  const app = loadApp(t, {
    'config/plugin.js': `const path = require('path');\n${example('docs/plugins.md', 'exports.redis')}`,
    'node_modules/egg-redis/package.json': '{ "name": "egg-redis", "eggPlugin": { "name": "redis" } }',
    'node_modules/session/package.json': '{ "name": "session", "eggPlugin": { "name": "session" } }',
    'lib/local/package.json': '{ "name": "local", "eggPlugin": { "name": "local" } }',
  });
  assert.ok('redis' in app.plugins);
  assert.ok(!('local' in app.plugins) && !('session' in app.plugins));
  const reasons = Object.fromEntries(app.loader.explainPlugins().map(({ name, reason }) => [name, reason]));
  assert.match(reasons['local'] as string, /its env \[local\] does not hold "unittest"/);
  assert.match(reasons['session'] as string, /off in .*plugin\.js/);
});

test('docs/loader.md: the customLoader example fills app and ctx', (t) => {
  const app = loadApp(t, {
    'config/config.default.js': example('docs/loader.md', 'customLoader'),
    'app/adapter/docker.js': 'module.exports = class { name = "docker"; };',
    'app/repository/user.js': 'module.exports = class { name = "user"; };',
  }) as unknown as {
    adapter: { docker: { name: string } };
    createAnonymousContext(): { repository: { user: { name: string } } };
  };
  assert.equal(app.adapter.docker.name, 'docker');
  assert.equal(app.createAnonymousContext().repository.user.name, 'user');
});

test('docs/lifecycle.md: the Boot class loads and becomes ready', async (t) => {
  const app = loadApp(t, { 'app.js': example('docs/lifecycle.md', 'class AppBoot') });
  await app.ready();
});

test('README.md: the example is part of the app that clutch init makes', () => {
  for (const [name, code] of Object.entries(filesOf('README.md'))) {
    // Of imports it has only what it uses; return types are left out.
    const inTemplate = readFileSync(path.join(ROOT, 'app-template/ts', name), 'utf8').replaceAll(
      /: (?:Promise<)?void>?/g,
      '',
    );
    const lines = code.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('import'));
    assert.ok(lines.length >= 3);
    for (const line of lines) assert.ok(inTemplate.includes(`${line}\n`), `${name} has ${line}`);
  }
});
