import path from 'node:path';

/**
 * The path of a file below a directory that a URL means.
 *
 * @param relative the part of the URL's path after the prefix
 * @returns undefined for one that leads out, is hidden, or is written in another way than a file has
 */
export function pathIn(relative: string): string | undefined {
  let decoded = relative;
  if (relative.includes('%')) {
    try {
      decoded = decodeURIComponent(relative);
    } catch {
      // No file has such a name.
      return undefined;
    }
  }
  // Also `..` starts with a dot.
  if (decoded === '' || /^\.|[\\/]\.|[\0\\]|\/\/|^\/|\/$/.test(decoded)) return undefined;
  return path.sep === '/' ? decoded : decoded.replaceAll('/', path.sep);
}
