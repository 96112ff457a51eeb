import { ClutchError } from '../../errors.js';

/** The fields of a plugin that ordering needs. */
export interface PluginNode {
  name: string;
  enable: boolean;
  dependencies: string[];
  optionalDependencies: string[];
  /** The server envs that it is for; all without it. */
  env?: string[];
  /** The file that declared it. */
  from?: string;
}

export interface PluginOrder {
  /** Enabled plugins, each after those it depends on. */
  names: string[];
  /** Plugins that were off and are on because another plugin needs them, with the name of that plugin. */
  implicit: { name: string; neededBy: string }[];
}

/**
 * Orders plugins so that each comes after its dependencies; ties keep the order they were declared in.
 * A hard dependency that is off is turned on; an optional one only affects the order.
 *
 * @param plugins enabled and disabled plugins by name; without those that env excludes
 * @param declared all plugins, also those: an error says why one of them is missing
 * @throws {ClutchError} ERR_CLUTCH_PLUGIN_CYCLE with the whole circle, ERR_CLUTCH_PLUGIN_MISSING with who asked
 */
export function orderPlugins(
  plugins: Record<string, PluginNode>,
  declared: Record<string, PluginNode> = plugins,
): PluginOrder {
  const enabled = new Set(
    Object.values(plugins)
      .filter((plugin) => plugin.enable)
      .map((plugin) => plugin.name),
  );
  const { implicit, missing } = enableDependencies(plugins, enabled);
  if (missing.length > 0) throw missingError(missing, declared);
  const names: string[] = [];
  const done = new Set<string>();
  const chain: string[] = [];

  const visit = (name: string): void => {
    if (done.has(name)) return;
    if (chain.includes(name)) throw cycleError(plugins, [...chain.slice(chain.indexOf(name)), name]);
    const plugin = plugins[name] as PluginNode;
    chain.push(name);
    for (const dependency of plugin.dependencies) visit(dependency);
    for (const dependency of plugin.optionalDependencies) {
      if (enabled.has(dependency)) visit(dependency);
    }
    chain.pop();
    done.add(name);
    names.push(name);
  };
  for (const name of Object.keys(plugins)) if (enabled.has(name)) visit(name);
  return { names, implicit };
}

interface Missing {
  name: string;
  neededBy: PluginNode;
}

function enableDependencies(
  plugins: Record<string, PluginNode>,
  enabled: Set<string>,
): { implicit: PluginOrder['implicit']; missing: Missing[] } {
  const implicit: PluginOrder['implicit'] = [];
  const missing: Missing[] = [];
  const queue = Object.keys(plugins).filter((name) => enabled.has(name));
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const plugin = plugins[name] as PluginNode;
    for (const dependency of plugin.dependencies) {
      if (!Object.hasOwn(plugins, dependency)) {
        missing.push({ name: dependency, neededBy: plugin });
      } else if (!enabled.has(dependency)) {
        enabled.add(dependency);
        implicit.push({ name: dependency, neededBy: name });
        queue.push(dependency);
      }
    }
  }
  return { implicit, missing };
}

function cycleError(plugins: Record<string, PluginNode>, chain: string[]): ClutchError {
  const error = new ClutchError('ERR_CLUTCH_PLUGIN_CYCLE', `plugins have recursive dependencies: ${chain.join(',')}`, {
    where: chain.slice(0, -1).map((name) => `${name} declared in ${plugins[name]?.from ?? 'options'}`),
    fix: 'Remove one of these dependencies, or make it one that is looked up at run time.',
  });
  error.name = 'PluginSequencifyError';
  return error;
}

function missingError(missing: Missing[], declared: Record<string, PluginNode>): ClutchError {
  const names = [...new Set(missing.map(({ name }) => name))];
  const unknown = names.filter((name) => !Object.hasOwn(declared, name));
  const env = unknown.length < names.length ? ['allow it for this env'] : [];
  const install = unknown.map(
    (name) => `install its package (such as egg-${name}) and declare "${name}" in config/plugin`,
  );
  const error = new ClutchError('ERR_CLUTCH_PLUGIN_MISSING', `missing plugins: ${names.join(', ')}`, {
    where: missing.map(({ name, neededBy }) => {
      const from = `"${name}" is needed by "${neededBy.name}", declared in ${neededBy.from ?? 'options'}`;
      const only = declared[name]?.env?.join(', ');
      return only ? `${from}; it is for env ${only} only, by ${declared[name]?.from ?? 'options'}` : from;
    }),
    fix: capitalized(`${[...install, ...env].join(', ')}, or turn off the plugin that needs it.`),
  });
  error.name = 'PluginSequencifyError';
  return error;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
