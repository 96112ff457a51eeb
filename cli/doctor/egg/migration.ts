import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { dim, failure, heading, success } from '../../terminal/style.js';
import { type BootReport, bootOnce } from './boot.js';
import { type EggFinding, type SourceText, scanPackage, scanSources } from './scan.js';

export interface Migration {
  findings: EggFinding[];
  boot: BootReport;
}

const DIRECTORIES = ['app', 'config', 'lib', 'test'];

/** Says what of an Egg app differs under Clutch, file by file, and boots it once. */
export async function examineEggApp(baseDir: string): Promise<Migration> {
  const sources = readSources(baseDir);
  const declared = sources.filter(({ file }) => /^config\/plugin\./.test(file)).map(({ text }) => text);
  const pkg = readFileSync(path.join(baseDir, 'package.json'), 'utf8');
  const findings = [...scanPackage(pkg, declared.join('\n')), ...scanSources(sources)];
  return { findings, boot: await bootOnce(baseDir) };
}

function readSources(baseDir: string): SourceText[] {
  const top = readdirSync(baseDir);
  const below = DIRECTORIES.filter((dir) => existsSync(path.join(baseDir, dir))).flatMap((dir) =>
    readdirSync(path.join(baseDir, dir), { recursive: true, encoding: 'utf8' }).map((name) => `${dir}/${name}`),
  );
  return [...top, ...below]
    .map((name) => name.replaceAll(path.sep, '/'))
    .filter((name) => /\.[cm]?[jt]s$/.test(name) && !/\.d\.[cm]?ts$|(?:^|\/)(?:node_modules|public)\//.test(name))
    .sort()
    .map((file) => ({ file, text: readFileSync(path.join(baseDir, file), 'utf8') }));
}

/** @returns findings file by file, then how the boot ended */
export function printMigration({ findings, boot }: Migration): string {
  const files = [...new Set(findings.map(({ file }) => file))];
  const blocks = files.map((file) => {
    const lines = findings
      .filter((finding) => finding.file === file)
      .sort((a, b) => a.line - b.line)
      .map(({ line, kind, what, fix }) => `  ${line}: ${kind}: ${what}\n${dim(`     ${fix}`)}`);
    return [heading(file), ...lines].join('\n');
  });
  return [...blocks, printBoot(boot)].join('\n\n');
}

function printBoot({ error, ms, plugins, routes, warnings }: BootReport): string {
  const warned = warnings.map((warning) => `  ${warning}`);
  if (error !== undefined)
    return [failure('does not boot:'), ...error.split('\n').map((line) => `  ${line}`), ...warned].join('\n');
  return [success(`boots in ${ms} ms with ${plugins} plugins and ${routes} routes`), ...warned].join('\n');
}
