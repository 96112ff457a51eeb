import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

/**
 * Builds dist/page/: what the admin listener serves, in as few files as a browser can take it.
 *
 * @param root directory of the package
 */
export async function buildPage(root) {
  const source = path.join(root, 'page');
  const target = path.join(root, 'dist/page');
  mkdirSync(path.join(target, 'assets'), { recursive: true });
  await build({
    entryPoints: [path.join(source, 'app.tsx'), path.join(source, 'app.css')],
    outdir: path.join(target, 'assets'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    // `light-dark()` is as old as that: what is older shows the page without its colours.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  cpSync(path.join(source, 'index.html'), path.join(target, 'index.html'));
  cpSync(path.join(source, 'icon.svg'), path.join(target, 'assets/icon.svg'));
}
