import assert from 'node:assert';
import { ClutchError } from '../errors.js';
import { nameOwnFrames } from '../output/own_frames.js';
import { bootApp } from './app/boot.js';
import type { MockedApplication } from './app/mock_app.js';
import { findHooks } from './hooks.js';
import mock, { restore } from './index.js';

/** What `koa-clutch/mock/bootstrap` exports. */
export interface BootstrapKit {
  /** The app of the current directory, or of `EGG_BASE_DIR`, booted before the tests of the file run. */
  app: MockedApplication;
  assert: typeof assert;
  mock: typeof mock;
  mm: typeof mock;
}

/**
 * Has the test runner boot the app before the tests, undo after each test what it has mocked, and close the app in the end.
 *
 * @param globals where the runner has its hooks
 */
export function bootstrap(globals: object): BootstrapKit {
  const { EGG_BASE_DIR: baseDir = process.cwd(), EGG_FRAMEWORK: framework } = process.env;
  const app = bootApp({ baseDir, ...(framework ? { framework } : {}) });
  const { before, afterEach, after } = findHooks(globals);
  let isBooted = false;
  before(async () => {
    await app.ready().catch(reportOnce);
    isBooted = true;
  });
  afterEach(async () => {
    if (!isBooted) return;
    await app.backgroundTasksFinished();
    await restore();
  });
  after(() => app.close());
  return { app, assert, mock, mm: mock };
}

/** A runner repeats the error of this hook for each test. */
function reportOnce(error: Error): never {
  process.stderr.write(`${nameOwnFrames(String(error.stack))}\n`);
  throw new ClutchError('ERR_CLUTCH_MOCK', 'the app has not booted', { fix: 'Its error is printed above.' });
}
