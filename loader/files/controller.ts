import { ClutchError } from '../../errors.js';
import { type AnyClass, isAsyncFunction, isClass, isGeneratorFunction } from './export_kind.js';
import { FULLPATH } from './file_loader.js';
import { toAsyncFunction } from './generators.js';

type Method = (...args: unknown[]) => unknown;

export interface ControllerOptions {
  /** Pass on all arguments of the call; by default a controller gets `ctx` only. */
  supportParams?: boolean;
}

/**
 * Turns what a controller file exports into middleware.
 *
 * @param app the argument for an exported plain function
 * @throws {ClutchError} ERR_CLUTCH_CONTROLLER for a method of an object that takes `next`
 */
export function toController(
  exported: unknown,
  file: { path: string; pathName: string },
  app: unknown,
  options: ControllerOptions,
): unknown {
  let value = exported;
  if (typeof value === 'function' && !isClass(value) && !isAsyncFunction(value) && !isGeneratorFunction(value)) {
    value = (value as Method)(app);
  }
  if (isClass(value)) {
    Object.assign(value.prototype, { pathName: file.pathName, fullPath: file.path });
    return fromClass(value, file.path, options);
  }
  if (typeof value === 'object' && value !== null)
    return fromObject(value as Record<string, unknown>, file.path, '', options);
  return toAsyncFunction(value);
}

function fromClass(Class: AnyClass, file: string, options: ControllerOptions): Record<string, Method> {
  const methods: Record<string, Method> = {};
  for (let level = Class.prototype; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const key of Object.getOwnPropertyNames(level)) {
      const descriptor = Object.getOwnPropertyDescriptor(level, key);
      if (key === 'constructor' || Object.hasOwn(methods, key) || typeof descriptor?.value !== 'function') continue;
      methods[key] = classMethod(Class, key, isGeneratorFunction(descriptor.value), options);
      Object.assign(methods[key], { [FULLPATH]: `${file}#${Class.name}.${key}()` });
    }
  }
  return methods;
}

function classMethod(Class: AnyClass, key: string, isGenerator: boolean, { supportParams }: ControllerOptions): Method {
  return function classControllerMiddleware(this: unknown, ...args: unknown[]) {
    // Routes call it with `this` = ctx; a direct call has ctx as first argument.
    const ctx = isContext(this) ? this : args[0];
    const controller = new Class(ctx) as Record<string, Method>;
    const own = controller[key] as Method;
    const method = isGenerator ? toAsyncFunction(own) : own;
    return supportParams === true ? method.apply(controller, args) : method.call(controller, ctx);
  };
}

function isContext(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'req' in value && 'res' in value;
}

function fromObject(
  object: Record<string, unknown>,
  file: string,
  prefix: string,
  options: ControllerOptions,
): Record<string, unknown> {
  const methods: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'function') {
      const where = `${file}#${prefix}${key}()`;
      if (/^[^(]*\(\s*next\s*[,)]/.test(Function.prototype.toString.call(value))) {
        const what = `controller \`${prefix}${key}\` should not use next as argument`;
        throw new ClutchError('ERR_CLUTCH_CONTROLLER', what, {
          where: file,
          fix: 'A controller gets ctx; code that needs next is a middleware.',
        });
      }
      const wrapped = objectMethod(toAsyncFunction(value as Method), options.supportParams === true);
      Object.assign(wrapped, value, { [FULLPATH]: where });
      methods[key] = wrapped;
    } else if (typeof value === 'object' && value !== null) {
      methods[key] = fromObject(value as Record<string, unknown>, file, `${prefix}${key}.`, options);
    }
  }
  return methods;
}

function objectMethod(method: Method, supportParams: boolean): Method {
  return function objectControllerMiddleware(this: unknown, ...args: unknown[]) {
    const ctx = isContext(this) ? this : args[0];
    return supportParams ? method.apply(ctx, args) : method.call(ctx, ctx);
  };
}
