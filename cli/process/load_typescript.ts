import { readFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

type Extensions = Record<string, (target: object, file: string) => unknown>;

/** What is used of TypeScript, up to version 6. */
interface TypeScript {
  ModuleKind: { CommonJS: unknown };
  sys: object;
  getParsedCommandLineOfConfigFile(file: string, options: object, host: object): { options: object } | undefined;
  transpileModule(source: string, options: { compilerOptions: object; fileName: string }): { outputText: string };
}

const OWN_URL = new URL('../..', import.meta.url).href;
const OWN = fileURLToPath(OWN_URL);
const DECORATOR = /^\s*@[\w$]/m;

/**
 * Registers tsx, which loads the app's TypeScript, but leaves the files of Clutch alone: they need no compiling, and the frames of
 * rewritten ones would be false. Every process of `clutch dev` imports this file first.
 *
 * @param tsx URL of the app's own tsx
 * @param metadataOf directory of an app whose decorators need `emitDecoratorMetadata`, which tsx does not have
 */
export async function loadTypeScript(tsx: string, metadataOf?: string): Promise<void> {
  const { _extensions: extensions } = module as unknown as { _extensions: Extensions };
  const loadJavaScript = extensions['.js'] as Extensions[string];
  await import(tsx);
  const loadWithTsx = extensions['.js'] as Extensions[string];
  extensions['.js'] = (target, file) => (file.startsWith(OWN) ? loadJavaScript : loadWithTsx)(target, file);
  if (metadataOf !== undefined) compileDecorators(extensions, metadataOf);
  // Hooks that are registered later run first.
  const hooks = `
    export const load = async (url, context, next) => {
      if (!url.startsWith(${JSON.stringify(OWN_URL)}) || !/\\.js(?:$|\\?)/.test(url)) return next(url, context);
      const { readFile } = await import('node:fs/promises');
      return { format: 'module', shortCircuit: true, source: await readFile(new URL(url)) };
    };`;
  module.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

/** Files with decorators are compiled by the app's own TypeScript, which is loaded for the first one. */
function compileDecorators(extensions: Extensions, directory: string): void {
  const loadWithTsx = extensions['.ts'] as Extensions[string];
  let compile: ((source: string, fileName: string) => string) | undefined;
  extensions['.ts'] = (target, file) => {
    const source = readFileSync(file, 'utf8');
    if (!DECORATOR.test(source) || file.includes(`${path.sep}node_modules${path.sep}`))
      return loadWithTsx(target, file);
    compile ??= compilerOf(directory);
    return (target as { _compile(code: string, file: string): unknown })._compile(compile(source, file), file);
  };
}

function compilerOf(directory: string): (source: string, fileName: string) => string {
  const ts = createRequire(path.join(directory, 'package.json'))('typescript') as TypeScript;
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const config = ts.getParsedCommandLineOfConfigFile(path.join(directory, 'tsconfig.json'), {}, host);
  const compilerOptions = {
    ...config?.options,
    module: ts.ModuleKind.CommonJS,
    moduleResolution: undefined,
    verbatimModuleSyntax: false,
    sourceMap: false,
    inlineSourceMap: true,
    inlineSources: true,
  };
  return (source, fileName) => ts.transpileModule(source, { compilerOptions, fileName }).outputText;
}
