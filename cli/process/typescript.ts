import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClutchError } from '../../errors.js';

/**
 * Node options that let the children of a development cluster load the app's TypeScript.
 *
 * @returns none for a JavaScript app and where Node strips types itself
 * @throws {ClutchError} ERR_CLUTCH_CLI when neither Node nor the app can load TypeScript
 */
export function typeScriptExecArgv(baseDir: string): string[] {
  if (!existsSync(path.join(baseDir, 'tsconfig.json'))) return [];
  if ((process.features as { typescript?: unknown }).typescript) {
    process.env['EGG_TYPESCRIPT'] ??= 'true';
    return [];
  }
  try {
    const tsx = createRequire(path.join(baseDir, 'package.json')).resolve('tsx');
    const loader = new URL('load_typescript.js', import.meta.url).href;
    const script = `import { loadTypeScript } from '${loader}'; await loadTypeScript('${pathToFileURL(tsx).href}');`;
    return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
  } catch (cause) {
    throw new ClutchError(
      'ERR_CLUTCH_CLI',
      `Node ${process.versions.node} does not load TypeScript and tsx is not installed`,
      {
        where: baseDir,
        fix: 'npm install --save-dev tsx, or use Node 22.18 or later.',
        cause,
      },
    );
  }
}
