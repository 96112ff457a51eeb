import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '../finding.js';

export interface SourceFile {
  /** Relative to the app. */
  file: string;
  /** Milliseconds since the epoch. */
  changed: number;
}

const CONVENTION_DIRECTORIES = ['app', 'config', 'lib', 'plugin', 'plugins'];

/** Milliseconds by which the times of files may differ when both were copied. */
const COPY_TOLERANCE = 1000;

/** @returns the modules of an app that a load may meet */
export function gatherSources(baseDir: string): SourceFile[] {
  const top = readdirSync(baseDir).filter((name) => isModule(name));
  const below = CONVENTION_DIRECTORIES.filter((dir) => existsSync(path.join(baseDir, dir))).flatMap((dir) =>
    readdirSync(path.join(baseDir, dir), { recursive: true, encoding: 'utf8' })
      .filter((name) => isModule(name) && !/(?:^|\/)(?:node_modules|public|test)\//.test(name))
      .map((name) => path.join(dir, name)),
  );
  return [...top, ...below].flatMap((file) => {
    const stat = statSync(path.join(baseDir, file), { throwIfNoEntry: false });
    return stat?.isFile() ? [{ file, changed: stat.mtimeMs }] : [];
  });
}

function isModule(name: string): boolean {
  return /\.[cm]?[jt]s$/.test(name) && !/\.d\.[cm]?ts$/.test(name);
}

/** Finds compiled files that are older than the source beside them: production runs the old code. */
export function checkTwins(sources: readonly SourceFile[]): Finding[] {
  const changed = new Map(sources.map(({ file, changed }) => [file, changed]));
  return sources.flatMap(({ file, changed: edited }) => {
    if (!/\.[cm]?ts$/.test(file)) return [];
    const twin = file.replace(/ts$/, 'js');
    const compiled = changed.get(twin);
    if (compiled === undefined || edited <= compiled + COPY_TOLERANCE) return [];
    return [
      {
        level: 'warning' as const,
        what: `${twin} is older than ${file}: \`clutch start\` runs the old code, \`clutch dev\` the source`,
        where: twin,
        fix: `Compile again (npm run build), or rm '${twin}'`,
      },
    ];
  });
}
