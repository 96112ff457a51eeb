import { statSync } from 'node:fs';
import path from 'node:path';
import {
  Argument as CommanderArgument,
  Command as CommanderCommand,
  CommanderError,
  Option as CommanderOption,
} from 'commander';
import type { Argument, Command, CommandInput, Commands, Option, OptionTable, OptionValues } from './command.js';
import { heading } from './terminal/style.js';
import { usageError } from './usage_error.js';

const JSON_OPTION: Option = { help: 'print the data, for programs' };
const STACK_OPTION: Option = { help: 'errors with all their stack frames' };

/** Thrown after a help or a version has been printed: there is nothing left to do. */
export class Printed extends Error {}

/** @returns the options of a command with those that it has without declaring them */
export function optionsOf(command: Command): OptionTable {
  return { ...command.options, ...(command.print ? { json: JSON_OPTION } : {}), stack: STACK_OPTION };
}

/** @returns the line that shows how a command is called */
export function usageOf(command: Command): string {
  const args = (command.arguments ?? []).map(nameOf);
  return [...args, command.needsDirectory ? '<directory>' : '[directory]', '[options]'].join(' ');
}

/**
 * Reads the command line.
 *
 * @param definition the command that it names, which is the only one whose options are known
 * @throws {ClutchError} ERR_CLUTCH_CLI with the nearest name, {Printed} for `--help` and `--version`
 */
export function parseCommandLine(
  argv: string[],
  version: string,
  commands: Commands,
  [name, definition]: [string, Command] | [undefined, undefined],
): CommandInput {
  let complete: (() => CommandInput) | undefined;
  const program = createProgram(version);
  for (const [each, { group, summary }] of Object.entries(commands)) {
    const command = program.command(each).summary(summary).description(summary).helpGroup(`${group}:`);
    if (each !== name) continue;
    configure(command, definition, (given, options) => {
      complete = () => ({ ...toInput(definition, given, options), commands, typed: argv.slice(1) });
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    throw translate(error);
  }
  if (!complete) throw new Printed();
  return complete();
}

function createProgram(version: string): CommanderCommand {
  return new CommanderCommand('clutch')
    .usage('<command> [directory] [options]')
    .version(version, '-v, --version', 'print the version of Clutch')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({
      styleTitle: heading,
      subcommandTerm: (command) => command.name(),
      showGlobalOptions: false,
    })
    .addHelpText('after', '\n`clutch <command> --help` shows options and examples.');
}

function configure(
  target: CommanderCommand,
  definition: Command,
  done: (given: (string | undefined)[], options: OptionTable & Record<string, never>) => void,
): void {
  const { description, examples, needsDirectory = false } = definition;
  if (description) target.description(`${capitalized(target.summary())}.\n\n${description}`);
  else target.description(`${capitalized(target.summary())}.`);
  target
    .usage(usageOf(definition))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', exampleLines(examples));
  for (const argument of definition.arguments ?? []) target.addArgument(toArgument(argument));
  // Commander allows nothing after an argument that is repeated: there the directory is the last of its texts.
  if (!definition.arguments?.at(-1)?.repeated) {
    target.argument(needsDirectory ? '<directory>' : '[directory]', 'of the app; default: the current one');
  }
  for (const [flag, option] of Object.entries(optionsOf(definition))) target.addOption(toOption(flag, option));
  target.action((...all: unknown[]) => {
    const options = all.at(-2) as never;
    done(all.slice(0, -2) as (string | undefined)[], options);
  });
}

function exampleLines(examples: Command['examples']): string {
  const rows = Object.entries(examples);
  const width = Math.max(...rows.map(([line]) => line.length));
  return [
    '',
    heading('Examples:'),
    ...rows.map(([line, meaning]) => `  clutch ${line.padEnd(width)}  ${meaning}`),
  ].join('\n');
}

function nameOf({ name, optional, repeated }: Argument): string {
  const text = repeated ? `${name}...` : name;
  return optional ? `[${text}]` : `<${text}>`;
}

function toArgument(declared: Argument): CommanderArgument {
  const { help, choices, optional } = declared;
  const argument = new CommanderArgument(nameOf(declared), help);
  if (choices) argument.choices(choices);
  // In the place of an optional choice the directory may stand, so `toInput` does the check; help still shows the choices.
  return choices && optional ? argument.argParser((text) => text) : argument;
}

function toOption(flag: string, { short, argument, repeatable, choices, help }: Option): CommanderOption {
  const flags = `${short ? `-${short}, ` : ''}--${flag}${argument ? ` <${argument}>` : ''}`;
  const option = new CommanderOption(flags, help);
  if (choices) option.choices(choices);
  if (repeatable) option.argParser((value: string, all: string[] = []) => [...all, value]);
  return option;
}

function toInput(
  definition: Command,
  given: (string | undefined)[],
  values: Record<string, unknown>,
): Omit<CommandInput, 'commands' | 'typed'> {
  const { repeated } = definition.arguments?.at(-1) ?? {};
  const texts = repeated ? withDirectory(given.flat(), repeated) : given;
  const args = texts.slice(0, -1);
  let directory = texts.at(-1);
  // `clutch config ./app`: what looks like a path is the directory, also where an optional argument could stand.
  const last = args.findLastIndex((arg) => arg !== undefined);
  const declared = definition.arguments?.[last];
  if (directory === undefined && declared?.optional && isDirectoryFor(declared, args[last] as string)) {
    directory = args[last];
    args[last] = undefined;
  }
  for (const [index, { name, choices, optional }] of definition.arguments?.entries() ?? []) {
    const text = args[index];
    if (optional && choices && text !== undefined && !choices.includes(text)) {
      throw usageError(`there is no ${name} '${text}'. Allowed choices are ${choices.join(', ')}.`);
    }
  }
  const options: Record<string, unknown> = {};
  for (const flag of Object.keys(optionsOf(definition))) {
    const value = values[flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (value !== undefined) options[flag] = value;
  }
  return {
    directory: path.resolve(directory ?? '.'),
    given: directory,
    args,
    options: options as OptionValues<OptionTable>,
    json: options['json'] === true,
  };
}

/** @returns texts of which the last is the directory, undefined if it is not given */
function withDirectory(texts: (string | undefined)[], repeated: (text: string) => boolean): (string | undefined)[] {
  const last = texts.at(-1);
  return last === undefined || repeated(last) ? [...texts, undefined] : texts;
}

/** Where only certain words are allowed, any other text that names a directory is one; elsewhere only what looks like a path. */
function isDirectoryFor({ choices }: Argument, text: string): boolean {
  if (!choices) return isPath(text);
  return !choices.includes(text) && (isPath(text) || isDirectory(text));
}

/** Names of jobs and schedules have slashes, too: what begins like a name is a path if there is such a directory. */
function isPath(text: string): boolean {
  if (/^\.\.?(?:[/\\]|$)/.test(text) || path.isAbsolute(text)) return true;
  return /[/\\]/.test(text) && isDirectory(text);
}

function isDirectory(text: string): boolean {
  return statSync(text, { throwIfNoEntry: false })?.isDirectory() === true;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @returns commander's error as one of Clutch; help and version are no errors */
function translate(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0 || error.code === 'commander.help') return new Printed();
  const message = error.message
    .replace(/^error: /, '')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*)'\./, "there is no $2 '$1'.")
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?');
  return usageError(message, { command: error.code === 'commander.unknownCommand' ? '' : undefined });
}
