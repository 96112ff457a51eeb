import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('..', import.meta.url));

/** @returns a file as a reader of this app knows it: below the app, or of Clutch wherever that is installed */
export function shortPath(file: string | undefined, baseDir: string): string {
  if (!file) return '';
  if (file.startsWith(DIST)) return `koa-clutch/${path.relative(DIST, file)}`;
  const relative = path.relative(baseDir, file);
  return relative.startsWith(`..${path.sep}..`) || file.startsWith('<') ? file : relative;
}
