import { inspectApp } from '../../cluster/index.js';
import { toError } from '../../errors.js';
import { typeScriptExecArgv } from '../process/typescript.js';

/** One leaf of the config: the value in use, secrets masked, and each file that set it. */
interface ConfigLeaf {
  key: string;
  value?: unknown;
  sources: { file: string; value?: unknown }[];
}

interface LoadedPlugin {
  name: string;
  enable: boolean;
  path?: string;
}

/** What an app is made of once its config and plugins are loaded. */
export interface LoadedApp {
  config: readonly ConfigLeaf[];
  plugins: readonly LoadedPlugin[];
}

/** Loads an app in processes of its own, without servers or asynchronous hooks. @returns the error if it does not load */
export async function inspect(baseDir: string): Promise<LoadedApp | Error> {
  try {
    const execArgv = typeScriptExecArgv(baseDir);
    const [config, plugins] = await Promise.all([
      inspectApp({ baseDir, topic: 'config', execArgv }),
      inspectApp({ baseDir, topic: 'plugins', execArgv }),
    ]);
    return { config: config as ConfigLeaf[], plugins: plugins as LoadedPlugin[] };
  } catch (error) {
    return toError(error);
  }
}

/** @returns the value of a config leaf; undefined when it is not there or no text or number */
export function leafOf(app: LoadedApp, key: string): string | number | undefined {
  const value = app.config.find((leaf) => leaf.key === key)?.value;
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}
