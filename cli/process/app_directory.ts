import { assertAppDirectory, readPackage } from '../../resolve/package.js';

/** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND, ERR_CLUTCH_PACKAGE unless there is an app, so that nothing is started in vain */
export function assertApp(directory: string): void {
  assertAppDirectory(directory, 'the app');
  readPackage(directory);
}
