import { bootApp, type MockAppOptions } from './app/boot.js';
import type { MockedApplication } from './app/mock_app.js';
import { restoreHttpClients } from './app/mock_http_client.js';
import { restoreLogs } from './app/mock_log.js';
import { leaveContexts } from './app/mock_request.js';
import { cluster } from './cluster/cluster.js';
import { isMocked, mockProperty, restoreProperties } from './property.js';

export type { MockAppOptions } from './app/boot.js';
export type { HttpTest, HttpTester, HttpTestResponse } from './app/http_request.js';
export type { MockedAgent, MockedApplication, MockMethods } from './app/mock_app.js';
export type { MockHttpResult } from './app/mock_http_client.js';
export type { MockContextData } from './app/mock_request.js';
export type { MockCluster, MockClusterOptions } from './cluster/cluster.js';
export { cluster } from './cluster/cluster.js';

/** Undoes everything that was mocked since the last time. Apps stay booted. */
export async function restore(): Promise<void> {
  // Before anything is awaited, so that it holds for the caller.
  leaveContexts();
  restoreProperties();
  restoreLogs();
  await restoreHttpClients();
}

/** Boots an app in this process, once for each directory. */
export const app: (options?: MockAppOptions) => MockedApplication = bootApp;

/**
 * Replaces a property of any object until `restore()`, and holds the other functions of the test kit: `mock(object, 'key', value)`,
 * `mock.app(options)`, `mock.cluster(options)`, `mock.env('prod')`, `mock.restore()`.
 */
const mock: {
  <T extends object>(target: T, key: PropertyKey, value: unknown): typeof mock;
  app: typeof app;
  cluster: typeof cluster;
  restore: typeof restore;
  isMocked: typeof isMocked;
  /** Sets the server env of apps that boot from now on. */
  env(env: string): void;
  /** Sets the least level of what apps that boot from now on print. */
  consoleLevel(level: string): void;
  /** Sets the home directory, where `logs/` of production is. */
  home(dir: string): void;
} = Object.assign(
  (target: object, key: PropertyKey, value: unknown) => {
    mockProperty(target, key, value);
    return mock;
  },
  {
    app,
    cluster,
    restore,
    isMocked,
    env: (env: string) => mockProperty(process.env, 'EGG_SERVER_ENV', env),
    consoleLevel: (level: string) => mockProperty(process.env, 'EGG_LOG', level.toUpperCase()),
    home: (dir: string) => mockProperty(process.env, 'EGG_HOME', dir),
  },
);

export { mock as mm, mock };
export default mock;
