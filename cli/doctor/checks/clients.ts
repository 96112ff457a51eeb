import { createRequire } from 'node:module';
import path from 'node:path';
import { packageRoot } from '../../package_root.js';
import type { Finding } from '../finding.js';
import { type LoadedApp, leafOf } from '../loaded_app.js';

/** Packages that a built-in plugin loads for the server that the config names; Clutch brings none of them along. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'fleet.adapter=redis': ['ioredis'],
  'fleet.adapter=nats': ['@nats-io/transport-node', '@nats-io/kv'],
  'jobs.engine=redis': ['bullmq', 'ioredis'],
  'jobs.engine=nats': ['@nats-io/transport-node', '@nats-io/jetstream', '@nats-io/kv'],
};

export interface ClientFacts {
  /** `jobs.engine`. */
  key: string;
  value: string;
  packages: readonly string[];
  isInstalled(name: string): boolean;
}

export function gatherClients(baseDir: string, app: LoadedApp): ClientFacts[] {
  const isOn = (name: string): boolean => app.plugins.some((plugin) => plugin.name === name && plugin.enable);
  const adapter = isOn('fleet') ? leafOf(app, 'fleet.adapter') : undefined;
  const values = {
    'fleet.adapter': adapter,
    'jobs.engine': isOn('jobs') ? (leafOf(app, 'jobs.engine') ?? adapter) : undefined,
  };
  const isInstalled = (name: string): boolean =>
    [baseDir, packageRoot()].some((dir) => {
      try {
        createRequire(path.join(dir, 'package.json')).resolve(name);
        return true;
      } catch {
        return false;
      }
    });
  return Object.entries(values).flatMap(([key, value]) => {
    const packages = PACKAGES[`${key}=${value}`];
    return packages ? [{ key, value: String(value), packages, isInstalled }] : [];
  });
}

export function checkClients(facts: readonly ClientFacts[]): Finding[] {
  return facts.flatMap(({ key, value, packages, isInstalled }) => {
    const missing = packages.filter((name) => !isInstalled(name));
    if (missing.length === 0) return [];
    const what = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed, and the app does not boot`;
    return [{ level: 'error', what, where: `config.${key} is "${value}"`, fix: `npm install ${missing.join(' ')}` }];
  });
}
