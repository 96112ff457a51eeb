import { ClutchError } from '../../errors.js';
import { isClass } from './export_kind.js';
import { loadIfExists } from './module_loader.js';

/**
 * Applies extend files to an object: those at `paths`, then `<path>.<env>` of each.
 *
 * @param paths without extension, in load order
 * @param envs the server env and any others whose files are applied too
 * @throws {ClutchError} ERR_CLUTCH_EXTEND, ERR_CLUTCH_MODULE
 */
export function applyExtends(paths: string[], target: object, envs: string[]): void {
  for (const suffix of ['', ...envs.map((env) => `.${env}`)]) {
    for (const file of paths) {
      const loaded = loadIfExists(file + suffix);
      if (loaded) applyExtend(target, loaded.exports, loaded.file);
    }
  }
}

/**
 * Copies the members of an extend file onto a prototype: values, accessors and symbols, enumerable or not.
 * A getter or setter alone keeps the other half of the accessor that it replaces.
 *
 * @param target the object that is extended, e.g. `app.context`
 * @param members the file's export: an object, or a class whose prototype is taken
 * @throws {ClutchError} ERR_CLUTCH_EXTEND when the export is neither, or a plain value replaces an accessor
 */
function applyExtend(target: object, members: unknown, file: string): void {
  const source = isClass(members) ? members.prototype : members;
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw new ClutchError('ERR_CLUTCH_EXTEND', `${file} exports ${source === null ? 'null' : typeof source}`, {
      fix: 'Export an object or a class.',
    });
  }
  for (const key of Reflect.ownKeys(source)) {
    if (key === '__proto__' || (key === 'constructor' && source !== members)) continue;
    const descriptor = Object.getOwnPropertyDescriptor(source, key) as PropertyDescriptor;
    const original = findDescriptor(target, key);
    if (original && (original.get || original.set)) {
      if ('value' in descriptor) {
        throw new ClutchError('ERR_CLUTCH_EXTEND', `${String(key)} is a getter or setter and is replaced by a value`, {
          where: file,
          fix: `Write it as "get ${String(key)}() { … }".`,
        });
      }
      descriptor.get ??= original.get;
      descriptor.set ??= original.set;
    }
    descriptor.configurable = true;
    Object.defineProperty(target, key, descriptor);
  }
}

function findDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
  for (
    let object: object | null = target;
    object && object !== Object.prototype;
    object = Object.getPrototypeOf(object)
  ) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    if (descriptor) return descriptor;
  }
  return undefined;
}
