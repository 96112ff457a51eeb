import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url)).replaceAll('\\', '/');
/** With source maps on, a frame shows the file in its room, not the one in dist/. */
const OWN = /^(?:dist|ipc|resolve|core|loader|leader|framework|plugins|cluster|cli|mock)\//;
const LOCATION = /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/;

/** @returns `file:line:column` of the innermost caller that is neither part of this package nor of Node */
export function userFrame(): string | undefined {
  for (const line of new Error().stack?.split('\n').slice(2) ?? []) {
    const location = LOCATION.exec(line)?.[1]
      ?.replace(/^file:\/\//, '')
      .replaceAll('\\', '/');
    if (location === undefined || location.startsWith('node:')) continue;
    if (location.startsWith(PACKAGE) && OWN.test(location.slice(PACKAGE.length))) continue;
    return location;
  }
  return undefined;
}
