import { existsSync } from 'node:fs';
import path from 'node:path';
import { globbySync } from 'globby';
import { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { runNode } from '../../process/run_node.js';
import { typeScriptExecArgv } from '../../process/typescript.js';
import { writeTypes } from '../app/types.js';

export const command = defineCommand({
  description: `Files \`test/**/*.test.js\` (or .ts, .mjs, .cjs) run with Node's own test runner, in the env \`unittest\`. The types of a TypeScript app are written
first; \`tsc --noEmit\` checks them.`,
  options: {
    watch: { help: 'run again what a save concerns' },
    coverage: { help: 'measure which lines the tests run' },
    only: { argument: 'pattern', help: 'tests whose names match it' },
    reporter: { argument: 'name', help: 'default spec' },
  },
  examples: { test: 'all tests', 'test --only "sign in"': 'some of them', 'test --watch': 'after each save' },
  async run({ directory, options: { watch, coverage, only, reporter = 'spec' } }) {
    const files = globbySync('test/**/*.test.{js,mjs,cjs,ts,mts,cts}', {
      cwd: directory,
      ignore: ['**/fixtures/**', '**/node_modules/**'],
    }).filter(
      // The compiled one of a source that is there as well.
      (file, _, all) => !/\.[cm]?js$/.test(file) || !all.includes(file.replace(/js$/, 'ts')),
    );
    if (files.length === 0) {
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', 'there are no tests', {
        where: path.join(directory, 'test'),
        fix: '`clutch generate test <name>` makes one.',
      });
    }
    if (existsSync(path.join(directory, 'tsconfig.json'))) await writeTypes(directory);
    const args = [
      ...typeScriptExecArgv(directory),
      '--test',
      `--test-reporter=${reporter}`,
      ...(watch ? ['--watch'] : []),
      ...(coverage ? ['--experimental-test-coverage'] : []),
      ...(only === undefined ? [] : [`--test-name-pattern=${only}`]),
      ...files.sort(),
    ];
    const { EGG_SERVER_ENV = 'unittest', NODE_ENV = 'test' } = process.env;
    process.exitCode = await runNode(args, { cwd: directory, env: { EGG_SERVER_ENV, NODE_ENV } });
  },
});
