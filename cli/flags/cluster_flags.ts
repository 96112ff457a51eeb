import type { StartClusterOptions } from '../../cluster/index.js';
import { type Flag, OPTIONS } from '../../cluster/options/option_table.js';
import type { Option } from '../command.js';

type Name = keyof typeof OPTIONS;

const WITH_FLAGS = (Object.keys(OPTIONS) as Name[]).filter((name) => OPTIONS[name].flags);

function flagsOf(name: Name): readonly Flag[] {
  return OPTIONS[name].flags ?? [];
}

/**
 * @param names cluster options, default all that have flags
 * @param help texts that replace those of the table
 * @returns their flags, for the options of a command
 */
export function clusterFlags(
  names: readonly Name[] = WITH_FLAGS,
  help: { [K in Name]?: string } = {},
): Record<string, Option & { argument: string }> {
  const flags = names.flatMap((option) =>
    flagsOf(option).map(({ name, leaf, ...flag }) => [name, { ...flag, help: help[option] ?? flag.help }]),
  );
  return Object.fromEntries(flags);
}

/** @returns the cluster options that the flags give; what they are is checked by `startCluster` */
export function clusterOptionsFrom(values: Readonly<Record<string, unknown>>): StartClusterOptions {
  const options: Record<string, unknown> = {};
  for (const option of WITH_FLAGS) {
    for (const { name, leaf } of flagsOf(option)) {
      const value = values[name];
      if (value === undefined) continue;
      options[option] = leaf ? { ...(options[option] as object | undefined), [leaf]: value } : value;
    }
  }
  return options;
}
