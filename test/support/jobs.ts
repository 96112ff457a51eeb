import type { TestContext } from 'node:test';
import { SKIP, startServer, type TestServer } from './fleet.js';
import type { Files } from './loaded_app.js';

export type Engine = 'memory' | 'sqlite' | 'redis' | 'nats';
export const ENGINES: Engine[] = ['memory', 'sqlite', 'redis', 'nats'];

/** A reason to skip the tests of an engine. */
export function skipOf(engine: Engine): string | false {
  return engine === 'redis' || engine === 'nats' ? SKIP[engine] : false;
}

/** Files of an app whose jobs note what they do, and wait for what a test says. */
export function jobsApp(config: Record<string, unknown>, files: Files = {}): Files {
  return {
    'config/plugin.js': 'exports.jobs = true;',
    'config/config.default.js': `exports.keys = 'k'; exports.jobs = ${JSON.stringify(config)};
      exports.logger = { dir: require('path').join(__dirname, '../logs') };`,
    ...files,
  };
}

/** Starts the server of an engine; resolves with what config.jobs needs. */
export async function engineConfig(
  t: TestContext,
  engine: Engine,
): Promise<{ config: Record<string, unknown>; server: TestServer | undefined }> {
  const server = engine === 'redis' || engine === 'nats' ? await startServer(t, engine) : undefined;
  return { config: { engine, name: 'test', lease: 2000, timeout: 2000, ...(server && { url: server.url }) }, server };
}
