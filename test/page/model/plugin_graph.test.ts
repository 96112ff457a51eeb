import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginView } from '../../../cluster/admin/page_data.js';
import { graphOf } from '../../../page/model/plugin_graph.js';

function plugin(name: string, dependencies: string[] = [], more: Partial<PluginView> = {}): PluginView {
  const known = { enabled: true, reason: '', from: 'config/plugin.js', optionalDependencies: [] };
  return { name, dependencies, ...known, ...more };
}

test('a plugin lies right of those that it needs; one that is off is not there', () => {
  const { nodes, edges, alone } = graphOf([
    plugin('session'),
    plugin('security', ['session']),
    plugin('passport', ['session', 'security'], { optionalDependencies: ['cache', 'redis'] }),
    plugin('redis'),
    plugin('cache', [], { enabled: false }),
    plugin('i18n'),
  ]);
  assert.deepEqual(Object.fromEntries(nodes.map(({ name, layer }) => [name, layer])), {
    session: 0,
    security: 1,
    passport: 2,
    redis: 0,
  });
  assert.deepEqual(alone, ['i18n']);
  assert.deepEqual(edges.at(-1), { from: 'redis', to: 'passport', optional: true });
});

test('plugins that need each other end in a layer, too', () => {
  const { nodes } = graphOf([plugin('a', ['b']), plugin('b', ['a'])]);
  assert.equal(nodes.length, 2);
});
