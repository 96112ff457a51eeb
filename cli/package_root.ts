import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPackage } from '../resolve/package.js';

/** @returns the directory of this installation of Clutch */
export function packageRoot(): string {
  return path.resolve(fileURLToPath(new URL('../..', import.meta.url)));
}

/** @returns the version of this installation */
export function ownVersion(): string {
  return readPackage(packageRoot()).version ?? '';
}
