import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClutchError } from '../../errors.js';
import { turnsOn } from './tsconfig.js';

/**
 * Node options that let the children of a development cluster load the app's TypeScript.
 *
 * @returns none for a JavaScript app and where Node strips types itself
 * @throws {ClutchError} ERR_CLUTCH_CLI when neither Node nor the app can load TypeScript
 */
export function typeScriptExecArgv(baseDir: string): string[] {
  const tsconfig = path.join(baseDir, 'tsconfig.json');
  if (!existsSync(tsconfig) && !saysTypeScript(baseDir)) return [];
  const native = Boolean((process.features as { typescript?: unknown }).typescript);
  if (native) {
    process.env['EGG_TYPESCRIPT'] ??= 'true';
    // Node strips types only, and does not parse decorators.
    if (!turnsOn(tsconfig, 'experimentalDecorators')) return [];
  }
  try {
    const tsx = createRequire(path.join(baseDir, 'package.json')).resolve('tsx');
    const loader = new URL('load_typescript.js', import.meta.url).href;
    const args = [pathToFileURL(tsx).href, ...metadataOf(baseDir, tsconfig)].map((arg) => JSON.stringify(arg));
    const script = `import { loadTypeScript } from '${loader}'; await loadTypeScript(${args.join()});`;
    return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
  } catch (cause) {
    throw new ClutchError(
      'ERR_CLUTCH_CLI',
      `Node ${process.versions.node} does not load ${native ? 'decorators' : 'TypeScript'} and tsx is not installed`,
      {
        where: baseDir,
        fix: `npm install --save-dev tsx${native ? '' : ', or use Node 22.18 or later'}.`,
        cause,
      },
    );
  }
}

/** @returns whether package.json has `egg.typescript`, as Egg's tools ask for; an app then needs no tsconfig.json */
function saysTypeScript(baseDir: string): boolean {
  try {
    const { egg } = createRequire(path.join(baseDir, 'package.json'))('./package.json') as {
      egg?: { typescript?: unknown };
    };
    return egg?.typescript === true;
  } catch {
    // An app without package.json; one that cannot be parsed is reported by the loader.
    return false;
  }
}

/** @returns the directory of an app whose decorators are compiled by its own TypeScript, which emits their metadata; tsx does not */
function metadataOf(baseDir: string, tsconfig: string): string[] {
  if (!turnsOn(tsconfig, 'emitDecoratorMetadata')) return [];
  const version = typeScriptVersion(baseDir);
  if (version !== undefined && version < 7) return [baseDir];
  process.emitWarning(
    `emitDecoratorMetadata in ${tsconfig} has no effect here: tsx does not emit it, and ${version ? `TypeScript ${version} cannot be called` : 'TypeScript is not installed'}`,
    {
      type: 'ClutchWarning',
      detail: 'npm install --save-dev typescript@5, or run what `clutch build` has compiled with `clutch start`.',
    },
  );
  return [];
}

/** @returns the major version of the app's own TypeScript */
function typeScriptVersion(baseDir: string): number | undefined {
  try {
    const { version } = createRequire(path.join(baseDir, 'package.json'))('typescript/package.json') as {
      version: string;
    };
    return Number.parseInt(version, 10);
  } catch {
    return undefined;
  }
}
