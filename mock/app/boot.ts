import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { type StartOptions, start } from '../../framework/index.js';
import { addMockMethods, type MockedApplication } from './mock_app.js';

export interface MockAppOptions extends StartOptions {
  /** Default: the current directory. A relative one is looked for in `test/fixtures` first. */
  baseDir?: string;
  /** Directory of the plugin that is tested. Default: the current directory, if its package.json has `eggPlugin`. */
  plugin?: string | false;
  /** Whether a second call for the same directory gives the same app; default true. */
  cache?: boolean;
  /** Whether `logs/` and `run/` of the app are removed first; default false. */
  clean?: boolean;
}

const booted = new Map<string, MockedApplication>();

/** The members that an app has before it is ready. */
type EarlyMembers = Pick<MockedApplication, 'close'> & {
  ready(): Promise<void>;
  then: Promise<MockedApplication>['then'] | undefined;
};

/**
 * Boots Agent and Application in this process, env `unittest`, once for each directory.
 *
 * @returns the app at once: `await app.ready()`, or `await` the app itself, before it is used
 * @throws {ClutchError} ERR_CLUTCH_MOCK when it is used before it is ready, or after its boot has failed
 */
export function bootApp({ plugin, cache = true, clean = false, ...options }: MockAppOptions = {}): MockedApplication {
  const baseDir = directoryOf(options.baseDir);
  const known = cache ? booted.get(baseDir) : undefined;
  if (known) return known;
  if (clean) for (const name of ['logs', 'run']) rmSync(path.join(baseDir, name), { recursive: true, force: true });
  const plugins = { ...pluginUnderTest(plugin), ...options.plugins };
  const app = lazyApp(
    start({ env: 'unittest', ...options, baseDir, plugins }).then(addMockMethods),
    // A closed app boots again.
    () => booted.get(baseDir) === app && booted.delete(baseDir),
  );
  if (cache) booted.set(baseDir, app);
  return app;
}

/** @returns what stands for the app: it is there before its boot has ended */
function lazyApp(boot: Promise<MockedApplication>, onClose: () => void): MockedApplication {
  let real: MockedApplication | undefined;
  let failure: Error | undefined;
  const settled = boot.then(
    (app) => {
      real = app;
    },
    (error: Error) => {
      failure = error;
      throw error;
    },
  );
  // Whoever calls ready() gets the error.
  settled.catch(() => undefined);
  const early: EarlyMembers = {
    ready: () => settled,
    async close() {
      onClose();
      await settled.catch(() => undefined);
      await real?.close();
    },
    // biome-ignore lint/suspicious/noThenProperty: an app can be awaited until it is ready.
    get then() {
      if (real) return undefined;
      const ready = settled.then(() => proxy);
      return ready.then.bind(ready) as Promise<MockedApplication>['then'];
    },
  };
  const target = (key: PropertyKey): MockedApplication => {
    if (real) return real;
    const name = String(key);
    throw new ClutchError(
      'ERR_CLUTCH_MOCK',
      failure
        ? `app.${name} cannot be read: the boot of the app has failed`
        : `app.${name} is read before the app is ready`,
      {
        fix: failure
          ? 'Its error was reported by app.ready().'
          : 'Await app.ready(), as in a hook that runs before the tests.',
      },
    );
  };
  const proxy = new Proxy({} as MockedApplication, {
    get(_target, key) {
      if (key in early) return Reflect.get(early, key);
      // What runners and inspectors ask of any object is no use of the app.
      if (!real && typeof key === 'symbol') return undefined;
      const value: unknown = Reflect.get(target(key), key, real);
      return isMethod(value) ? boundTo(real as object, value) : value;
    },
    set: (_target, key, value) => Reflect.set(target(key), key, value, real),
    has: (_target, key) => key in early || Reflect.has(target(key), key),
    deleteProperty: (_target, key) => Reflect.deleteProperty(target(key), key),
    defineProperty: (_target, key, descriptor) => Reflect.defineProperty(target(key), key, descriptor),
    getPrototypeOf: () => (real ? Reflect.getPrototypeOf(real) : Object.prototype),
    ownKeys: () => (real ? Reflect.ownKeys(real) : []),
    getOwnPropertyDescriptor(_target, key) {
      const descriptor = real && Reflect.getOwnPropertyDescriptor(real, key);
      return descriptor && { ...descriptor, configurable: true };
    },
  });
  return proxy;
}

const bound = new WeakMap<object, WeakMap<object, unknown>>();

/** A method may read private members, which a Proxy has not. */
function boundTo(owner: object, method: (...args: never[]) => unknown): unknown {
  let methods = bound.get(owner);
  if (!methods) bound.set(owner, (methods = new WeakMap()));
  if (!methods.has(method)) methods.set(method, method.bind(owner));
  return methods.get(method);
}

/** Classes and functions that are used as such have a prototype. */
function isMethod(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === 'function' && !('prototype' in value);
}

function directoryOf(given: string | undefined): string {
  if (given === undefined) return process.cwd();
  if (path.isAbsolute(given)) return given;
  const fixture = path.resolve('test/fixtures', given);
  return statSync(fixture, { throwIfNoEntry: false })?.isDirectory() ? fixture : path.resolve(given);
}

function pluginUnderTest(given: string | false | undefined): Record<string, { enable: true; path: string }> {
  if (given === false) return {};
  const dir = path.resolve(given ?? '.');
  const name = pluginNameOf(dir);
  if (name) return { [name]: { enable: true, path: dir } };
  if (given === undefined) return {};
  throw new ClutchError('ERR_CLUTCH_MOCK', 'option plugin is no directory of a plugin', {
    where: path.join(dir, 'package.json'),
    fix: 'Its package.json needs eggPlugin.name.',
  });
}

function pluginNameOf(dir: string): string | undefined {
  try {
    const { eggPlugin } = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as {
      eggPlugin?: { name?: string };
    };
    return eggPlugin?.name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
