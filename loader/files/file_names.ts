import path from 'node:path';
import { ClutchError } from '../../errors.js';

export type CaseStyle = 'camel' | 'lower' | 'upper' | ((relativePath: string) => string[]);

const SEGMENT = /^[a-z][a-z0-9_-]*$/i;

/**
 * @param file path relative to the loaded directory, e.g. `admin/user_role.js`
 * @returns the property names under which the file is found, e.g. `['admin', 'userRole']`
 * @throws {ClutchError} ERR_CLUTCH_FILE_NAME for a segment that is not letters, digits, `_` and `-` after a letter
 */
export function propertyNames(file: string, caseStyle: CaseStyle, directory: string): string[] {
  if (typeof caseStyle === 'function') {
    const names: unknown = caseStyle(file);
    if (Array.isArray(names)) return names as string[];
    throw new ClutchError('ERR_CLUTCH_FILE_NAME', `caseStyle returned ${typeof names} for ${file}, not an array`, {
      where: directory,
      fix: 'Return the property names as an array of strings.',
    });
  }
  const stem = file.slice(0, file.length - path.extname(file).length);
  return stem.split('/').map((segment) => {
    if (!SEGMENT.test(segment)) {
      throw new ClutchError('ERR_CLUTCH_FILE_NAME', `${segment} does not match 'a-z0-9_-' in ${file}`, {
        where: directory,
        fix: 'Start with a letter and use letters, digits, _ and - only, or exclude the file with ignore.',
      });
    }
    return applyCase(camelize(segment), caseStyle);
  });
}

function camelize(segment: string): string {
  return segment.replace(/[_-]+([a-z])/gi, (match, letter: string) => match.slice(0, -2) + letter.toUpperCase());
}

function applyCase(name: string, caseStyle: 'camel' | 'lower' | 'upper'): string {
  if (caseStyle === 'camel') return name;
  const first = name.charAt(0);
  return (caseStyle === 'lower' ? first.toLowerCase() : first.toUpperCase()) + name.slice(1);
}
