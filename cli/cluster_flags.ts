import type { ParseArgsConfig } from 'node:util';
import type { StartClusterOptions } from '../cluster/index.js';
import { type Flag, OPTIONS } from '../cluster/options/option_table.js';
import type { Arguments } from './arguments.js';

type Name = keyof typeof OPTIONS;

const WITH_FLAGS = (Object.keys(OPTIONS) as Name[]).filter((name) => OPTIONS[name].flags);

function flagsOf(name: Name): readonly Flag[] {
  return OPTIONS[name].flags ?? [];
}

/** @returns the flags of cluster options, as `parseArgs` takes them */
export function clusterFlags(names: readonly Name[] = WITH_FLAGS): NonNullable<ParseArgsConfig['options']> {
  const flags = names.flatMap(flagsOf).map(({ name, short, argument, repeatable }) => [
    name,
    {
      type: argument ? ('string' as const) : ('boolean' as const),
      ...(short ? { short } : {}),
      ...(repeatable ? { multiple: true } : {}),
    },
  ]);
  return Object.fromEntries(flags) as NonNullable<ParseArgsConfig['options']>;
}

/** @param help texts that replace those of the table */
export function clusterHelp(names: readonly Name[] = WITH_FLAGS, help: { [K in Name]?: string } = {}): string {
  return names
    .flatMap((option) => flagsOf(option).map((flag) => ({ ...flag, help: help[option] ?? flag.help })))
    .map(({ name, short, argument, help: line }) => {
      const flag = `  ${short ? `-${short},` : '   '} --${name}${argument ? ` <${argument}>` : ''}`;
      return `${flag.padEnd(28)} ${line}`;
    })
    .join('\n');
}

/** @returns the cluster options that the flags give; what they are is checked by `startCluster` */
export function clusterOptionsFrom(values: Arguments['values']): StartClusterOptions {
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
