import { ClutchError } from '../../errors.js';
import { resolveFramework } from '../../resolve/framework.js';
import { Agent } from './agent_class.js';
import { Application } from './application_class.js';
import type { ApplicationOptions } from './base_application.js';
import { LocalBus } from './messenger/message_transport.js';

export interface StartOptions extends ApplicationOptions {
  /** Package name or directory of the framework; default `egg.framework` of package.json, else Clutch itself. */
  framework?: string;
}

/** Milliseconds for the close hooks of an app whose boot has failed. */
const CLOSE_LIMIT = 5000;

interface FrameworkModule {
  Agent: typeof Agent;
  Application: typeof Application;
}

/**
 * Starts Agent and Application in this process, for tests and for containers with one process.
 * It does not listen: use `app.listen(port)` or `http.createServer(app.serverOptions, app.callback())`.
 *
 * @returns the ready application; `app.agent` is the Agent, and `app.close()` closes both
 * @throws {ClutchError} the error of the boot; both are closed then. ERR_CLUTCH_BOOT after `config.workerStartTimeout`, and
 *   when nothing is left in the process that the boot could wait for
 */
export async function start(options: StartOptions = {}): Promise<Application & { agent: Agent }> {
  const localBus = new LocalBus();
  const app = await bootBoth(options, { localBus });
  localBus.announce('egg-pids', [process.pid]);
  localBus.announce('egg-ready', { baseDir: app.baseDir });
  return app;
}

interface BootHooks {
  localBus: LocalBus;
  /** Called with each of the two when it is constructed. */
  onCreated?(app: Agent | Application): void;
}

/**
 * Boots Agent and Application in this process. That the cluster is ready is announced by the caller, on the bus.
 *
 * @throws the error of the boot; both are closed then
 */
export async function bootBoth(
  options: StartOptions,
  { localBus, onCreated = () => undefined }: BootHooks,
): Promise<Application & { agent: Agent }> {
  const { framework, ...rest } = options;
  const baseDir = rest.baseDir ?? process.cwd();
  const { Agent: AgentOf, Application: ApplicationOf } = await importFramework(framework, baseDir);
  const shared = { ...rest, baseDir, mode: 'single' as const, localBus };
  const agent = await AgentOf.create({ ...shared });
  onCreated(agent);
  let application: Application | undefined;
  try {
    await agent.ready();
    application = await ApplicationOf.create({ ...shared, ...resolvedFor(agent) });
    onCreated(application);
    const app = Object.assign(application, { agent });
    Object.assign(agent, { application: app });
    await application.ready();
    return app;
  } catch (error) {
    // A rejection of the same tick is still reported.
    await new Promise((resolve) => setImmediate(resolve));
    await closeFailed([application, agent]);
    throw error;
  }
}

/** Async config functions have been awaited for the Agent: the Application gets their results, too. */
function resolvedFor({ options: { resolvedConfig } }: Agent): Pick<ApplicationOptions, 'resolvedConfig'> {
  return resolvedConfig ? { resolvedConfig } : {};
}

/** Closes without hiding the boot's error: errors of close hooks are logged, and a hook that never ends is abandoned. */
async function closeFailed(apps: (Agent | Application | undefined)[]): Promise<void> {
  for (const app of apps) {
    if (!app) continue;
    const closed = app.close().catch((error: unknown) => app.coreLogger.error(error));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_LIMIT);
    });
    await Promise.race([closed, late]);
    clearTimeout(timer);
    app.releaseRejections();
  }
}

async function importFramework(framework: string | undefined, baseDir: string): Promise<FrameworkModule> {
  const found = resolveFramework({ baseDir, framework });
  if (found === undefined) return { Agent, Application };
  const module = (await import(found.entry)) as Partial<FrameworkModule> & { default?: Partial<FrameworkModule> };
  const exported = { ...module.default, ...module };
  if (exported.Agent && exported.Application) return exported as FrameworkModule;
  throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `framework ${found.name} does not export Agent and Application`, {
    where: found.dir,
    fix: 'Export both classes, as a framework does.',
  });
}
