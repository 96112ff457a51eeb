import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inspectApp } from '../../../cluster/index.js';
import { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { followFiles, lastLines, logFiles } from '../../process/log_lines.js';
import { typeScriptExecArgv } from '../../process/typescript.js';
import { usageError } from '../../usage_error.js';

export const command = defineCommand({
  description: `All logs of the app in the order of their times: \`*.log\` in config.logger.dir, without common-error.log, whose lines are in the others as
well, and what a daemon prints.`,
  options: {
    follow: { short: 'f', help: 'print new lines as they come, until Ctrl-C' },
    lines: { short: 'n', argument: 'count', help: 'the last ones; default 50' },
    name: { argument: 'file', help: 'only this log, e.g. common-error' },
  },
  examples: {
    logs: 'the last 50 lines',
    'logs -f': 'and those to come',
    'logs --name common-error -n 200': 'errors only',
  },
  async run({ directory, options: { follow, lines = '50', name } }) {
    if (!/^\d+$/.test(lines)) throw usageError(`--lines is no number: ${lines}`);
    const dir = await logDirectory(directory);
    const files = logFiles(dir, name);
    if (files.length === 0) {
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', name ? `there is no log "${name}"` : 'there are no logs', {
        where: dir,
        fix: 'The app writes them as it runs; config.logger.dir says where.',
      });
    }
    for (const line of lastLines(files, Number(lines))) console.log(line);
    if (follow) await followFiles(files, (line) => console.log(line));
  },
});

/** @returns where the app that ran last has its logs, else where its config puts them */
async function logDirectory(baseDir: string): Promise<string> {
  const dumped = path.join(baseDir, 'run/application_config.json');
  if (existsSync(dumped)) {
    const { config } = JSON.parse(readFileSync(dumped, 'utf8')) as { config?: { logger?: { dir?: string } } };
    if (config?.logger?.dir) return config.logger.dir;
  }
  const execArgv = typeScriptExecArgv(baseDir);
  const [row] = (await inspectApp({ baseDir, topic: 'config', key: 'logger.dir', execArgv })) as { value: string }[];
  return row?.value ?? path.join(baseDir, 'logs');
}
