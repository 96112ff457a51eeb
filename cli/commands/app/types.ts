import path from 'node:path';
import { inspectApp } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';

/** One generated file, as `writeTypings` of the framework reports it. */
interface GeneratedFile {
  file: string;
  old: boolean;
  added: string[];
  removed: string[];
}

export const command = defineCommand({
  description: `\`typings/clutch.d.ts\` has the types of services, controllers, config, extends and middleware; \`typings/clutch_files.ts\` does not compile
when one of their files is gone. \`dev\`, \`test\` and \`build\` write them as well.`,
  options: { check: { help: 'write nothing; exit code 1 when a file is old or missing' } },
  examples: { types: 'of the app here', 'types --check': 'in CI, where the files are committed' },
  async run({ directory, options: { check = false } }) {
    const files = await writeTypes(directory, { check });
    if (check && files.some(({ old }) => old)) process.exitCode = 1;
    return files;
  },
  print: (files, { options }) => files.map((file) => describe(file, options.check ?? false)).join('\n'),
});

/** @param check whether nothing is written */
export async function writeTypes(baseDir: string, { check = false } = {}): Promise<GeneratedFile[]> {
  const key = check ? 'check' : undefined;
  return (await inspectApp({ baseDir, topic: 'types', key })) as GeneratedFile[];
}

function describe({ file, old, added, removed }: GeneratedFile, check: boolean): string {
  const name = path.relative(process.cwd(), file);
  if (!old) return `${name} is up to date`;
  const changes = [...added.map((each) => `  + ${each}`), ...removed.map((each) => `  - ${each}`)];
  return [`${name} ${check ? 'is old: run `clutch types`' : 'written'}`, ...(check ? changes : [])].join('\n');
}
