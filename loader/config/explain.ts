import type { Masker } from '../../output/secrets.js';
import type { ConfigObject } from '../load_unit.js';
import { isForEnv } from '../plugins/plugin.js';
import { declarationsOf, type Plugin } from '../plugins/plugin_declaration.js';
import type { ConfigProvenance } from './config.js';
import { toDumpable } from './dump.js';

/** Where one config leaf comes from. */
export interface ConfigExplanation {
  key: string;
  /** The value in use, secrets masked. */
  value: unknown;
  /** Each file that set it, in merge order; the last one won. */
  sources: { file: string; value: unknown }[];
}

/** @returns an explanation for `key`, or for every leaf below it; nothing when the key does not exist */
export function explainConfig(
  key: string,
  config: ConfigObject,
  provenance: ConfigProvenance,
  masker: Masker,
): ConfigExplanation[] {
  return [...provenance.explain(key)].map(([leaf, sources]) => {
    const keys = leaf.split('.');
    const shown = (value: unknown): unknown => toDumpable(value, masker, keys);
    return {
      key: masker.maskText(leaf),
      value: shown(readAt(config, keys)),
      sources: sources.map(({ file, value }) => ({ file, value: shown(value) })),
    };
  });
}

function readAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (level, key) =>
      typeof level === 'object' && level !== null && Object.hasOwn(level, key)
        ? (level as Record<string, unknown>)[key]
        : undefined,
    value,
  );
}

/** Why a plugin is on or off. */
export interface PluginExplanation {
  name: string;
  enable: boolean;
  /** A sentence: who turned it on or off. */
  reason: string;
  /** The file that said it last. */
  from?: string | undefined;
  /** Its place in the load order, from 1; absent when it is off. */
  order?: number;
  path?: string;
  version?: string;
  dependencies: string[];
  optionalDependencies: string[];
  dependents: string[];
}

/** @returns enabled plugins in load order, then those that are off */
export function explainPlugins(all: Record<string, Plugin>, ordered: Plugin[], serverEnv: string): PluginExplanation[] {
  const off = Object.values(all).filter((plugin) => !ordered.includes(plugin));
  return [...ordered, ...off].map((plugin) => ({
    name: plugin.name,
    enable: plugin.enable,
    reason: reasonOf(plugin, serverEnv),
    from: declarationsOf(plugin).at(-1)?.from,
    ...(plugin.enable ? { order: ordered.indexOf(plugin) + 1 } : {}),
    path: plugin.path,
    version: plugin.version,
    dependencies: plugin.dependencies,
    optionalDependencies: plugin.optionalDependencies,
    dependents: plugin.dependents ?? [],
  }));
}

function reasonOf(plugin: Plugin, serverEnv: string): string {
  const last = declarationsOf(plugin).at(-1);
  if (plugin.implicitEnable) return `off in ${last?.from}, but needed by ${plugin.dependents?.join(', ')}`;
  if (last?.enable && !isForEnv(plugin, serverEnv)) {
    return `off: its env [${plugin.env.join(', ')}] does not hold "${serverEnv}"`;
  }
  return `${plugin.enable ? 'on' : 'off'} in ${last?.from}`;
}
