import path from 'node:path';
import { packageRoot } from '../package_root.js';

/** @returns a file as a reader of this app knows it */
export function shortPath(file: string | undefined, baseDir: string): string {
  if (!file) return '';
  const dist = path.join(packageRoot(), 'dist');
  // Built-in plugins, wherever Clutch is installed.
  if (file.startsWith(dist + path.sep)) return `koa-clutch/${path.relative(dist, file)}`;
  const relative = path.relative(baseDir, file);
  return relative.startsWith(`..${path.sep}..`) || file.startsWith('<') ? file : relative;
}

/** Columns as wide as their widest cell. */
export function table(rows: string[][]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
