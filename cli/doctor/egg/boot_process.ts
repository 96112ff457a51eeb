import { writeSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

/** File descriptor of the pipe to the process that asks. */
const REPORT = 3;

/** Packages in whose place an app of Egg gets Clutch, whatever is installed. */
const EGG = ['egg', 'egg-core', '@eggjs/core'];

interface StartedApp {
  router: { stack: { methods: string[] }[] };
  loader: { orderPlugins: unknown[] };
  close(): Promise<void>;
}

type Resolve = (request: string, ...rest: unknown[]) => string;

/** Of Node 22.15 and later. */
type RegisterHooks = (hooks: {
  resolve(name: string, context: object, next: (name: string, context: object) => object): object;
}) => void;

const { baseDir, framework, entry } = JSON.parse(process.argv[2] as string) as Record<string, string>;
const warnings: string[] = [];
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));
resolveEggAs(entry as string);
try {
  const { start } = (await import(entry as string)) as { start(options: object): Promise<StartedApp> };
  const began = performance.now();
  const app = await start({ baseDir, framework });
  const routes = app.router.stack.filter(({ methods }) => methods.length > 0).length;
  finish({ ms: Math.round(performance.now() - began), routes, plugins: app.loader.orderPlugins.length, warnings });
  await app.close();
  process.exit(0);
} catch (error) {
  finish({ error: describe(error), warnings });
  process.exit(1);
}

/** Resolves Egg's own packages to a file, for `require` and `import`. */
function resolveEggAs(url: string): void {
  const { registerHooks } = module as unknown as { registerHooks?: RegisterHooks };
  if (registerHooks) {
    registerHooks({
      resolve: (name, context, next) => (EGG.includes(name) ? { url, shortCircuit: true } : next(name, context)),
    });
    return;
  }
  const loader = module as unknown as { _resolveFilename: Resolve };
  const resolve = loader._resolveFilename;
  const file = fileURLToPath(url);
  loader._resolveFilename = function (request, ...rest) {
    return EGG.includes(request) ? file : resolve.call(this, request, ...rest);
  };
}

/** Without `registerHooks`, ES modules that the loader requires import what is installed. */
function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : inspect(error);
  if ('registerHooks' in module) return message;
  return `${message}\nOn Node ${process.versions.node}, ES modules of the app import the installed Egg: use Node 22.15 or later, or write "egg": "npm:koa-clutch" and install first.`;
}

function finish(report: object): void {
  writeSync(REPORT, JSON.stringify(report));
}
