import module from 'node:module';
import { fileURLToPath } from 'node:url';

type Extensions = Record<string, (target: object, file: string) => unknown>;

const OWN_URL = new URL('../..', import.meta.url).href;
const OWN = fileURLToPath(OWN_URL);

/**
 * Registers tsx, which loads the app's TypeScript, but leaves the files of Clutch alone: they need no compiling, and the frames of
 * rewritten ones would be false. Every process of `clutch dev` imports this file first.
 *
 * @param tsx URL of the app's own tsx
 */
export async function loadTypeScript(tsx: string): Promise<void> {
  const { _extensions: extensions } = module as unknown as { _extensions: Extensions };
  const loadJavaScript = extensions['.js'] as Extensions[string];
  await import(tsx);
  const loadWithTsx = extensions['.js'] as Extensions[string];
  extensions['.js'] = (target, file) => (file.startsWith(OWN) ? loadJavaScript : loadWithTsx)(target, file);
  // Hooks that are registered later run first.
  const hooks = `
    export const load = async (url, context, next) => {
      if (!url.startsWith(${JSON.stringify(OWN_URL)}) || !/\\.js(?:$|\\?)/.test(url)) return next(url, context);
      const { readFile } = await import('node:fs/promises');
      return { format: 'module', shortCircuit: true, source: await readFile(new URL(url)) };
    };`;
  module.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}
