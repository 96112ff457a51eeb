import { shortPath } from '../../resolve/short_path.js';
import type { ConfigView, PluginView } from './page_data.js';

/** A leaf as `clutch config` has it; secrets are masked. */
export interface ConfigRow {
  key: string;
  value?: unknown;
  sources: { file: string; value?: unknown }[];
}

/** A plugin as `clutch plugins` has it. */
export interface PluginRow {
  name: string;
  enable: boolean;
  reason: string;
  from?: string;
  path?: string;
  version?: string;
  dependencies: string[];
  optionalDependencies: string[];
}

export function toConfigView(rows: ConfigRow[], baseDir: string): ConfigView {
  const leaves = rows.map(({ key, value, sources }) => ({
    key,
    value: JSON.stringify(value) ?? 'undefined',
    sources: sources.map(({ file, value: set }) => ({
      file: shortPath(file, baseDir),
      ...(set === undefined ? {} : { value: JSON.stringify(set) }),
    })),
  }));
  return { leaves };
}

export function toPluginViews(rows: PluginRow[], baseDir: string): PluginView[] {
  return rows.map(({ name, enable, reason, from, path, version, dependencies, optionalDependencies }) => ({
    name,
    enabled: enable,
    reason: from === undefined ? reason : reason.replaceAll(from, shortPath(from, baseDir)),
    from: shortPath(from, baseDir),
    ...(path === undefined ? {} : { path: shortPath(path, baseDir) }),
    ...(version === undefined ? {} : { version }),
    dependencies,
    optionalDependencies,
  }));
}
