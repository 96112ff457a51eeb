import type { Command } from './command.js';
import { COMMANDS } from './commands.js';
import { exitCodeOf } from './exit_codes.js';
import { ownVersion } from './package_root.js';
import { Printed, parseCommandLine } from './parse.js';

/** A reader such as `head` that has enough is no error. What a command does goes on; one that only prints until it is ended, ends. */
let isEndless = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (isEndless) process.exit();
  });
}

async function main([name = '--help', ...rest]: string[]): Promise<void> {
  const argv = name === 'help' ? [...rest, '--help'] : [name, ...rest];
  // For the processes that are started, too.
  if (argv.includes('--stack')) process.env['CLUTCH_STACK'] = '1';
  const [first = ''] = argv;
  const named: [string, Command] | [undefined, undefined] = Object.hasOwn(COMMANDS, first)
    ? [first, (await (COMMANDS[first] as (typeof COMMANDS)[string]).load()).command]
    : [undefined, undefined];
  const input = parseCommandLine(argv, ownVersion(), COMMANDS, named);
  const [, { run, print, endless = false }] = named as [string, Command];
  isEndless = endless;
  const data = await run(input);
  if (print && data !== undefined) console.log(input.json ? JSON.stringify(data, null, 2) : print(data, input));
}

main(process.argv.slice(2)).catch(async (error: unknown) => {
  if (error instanceof Printed) return;
  const { printError } = await import('./terminal/print_error.js');
  printError(error);
  process.exit(exitCodeOf(error));
});
