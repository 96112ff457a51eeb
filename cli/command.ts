/**
 * How to add a command `clutch example`:
 *
 * 1. `cli/commands/<room>/example.ts` exports `const command = defineCommand({ … })`, see `CommandDefinition` below. `run` gets
 *    `{ directory, args, options, json }` and returns data, which `print` turns into text for people; with `print` the command
 *    has `--json`, which prints the same data for programs. A command without data has no `print` and returns nothing.
 *    Options are in a table by flag name; `run` finds their values under the same names, typed.
 * 2. One line in `cli/commands.ts`: its name, a summary that completes "clutch example: …", and where it is. The modules that a
 *    command needs are loaded when it runs, never for `clutch --help`.
 * 3. `npm run docs` writes the tables of docs/cli.md anew.
 *
 * Errors: throw a `ClutchError`; wrong usage is `usageError(what)`. The exit code follows from the error's code, see
 * `exit_codes.ts`. A command that has printed its outcome and yet failed sets `process.exitCode`.
 * Every command takes `[directory]` as its last argument, `--help` and `--stack`; none of them is declared.
 */
export interface Option {
  /** One letter. */
  short?: string;
  /** What follows the flag; without it the flag is a switch. */
  argument?: string;
  repeatable?: boolean;
  /** What completes the argument, and the only values that it may have. */
  choices?: readonly string[];
  help: string;
}

export type OptionTable = Readonly<Record<string, Option>>;

export type OptionValues<Options extends OptionTable> = {
  -readonly [Name in keyof Options]?: Options[Name] extends { argument: string }
    ? Options[Name] extends { repeatable: true }
      ? string[]
      : string
    : boolean;
};

export interface Argument {
  name: string;
  help: string;
  /** Default: it must be given. */
  optional?: boolean;
  choices?: readonly string[];
  /** For the last one, which may be given several times: whether a text is one. A last text that is none is the directory. */
  repeated?(text: string): boolean;
}

export interface CommandInput<Options extends OptionTable = OptionTable> {
  /** The directory given last, absolute; the current one when none is given. */
  directory: string;
  /** The same as it was given. */
  given: string | undefined;
  /** Values of `arguments`, in their order. */
  args: (string | undefined)[];
  options: OptionValues<Options>;
  json: boolean;
  commands: Commands;
  /** What follows the command, as it was typed. */
  typed: readonly string[];
}

export interface CommandDefinition<Options extends OptionTable, Data> {
  /** Sentences for `--help` that the summary has no room for. */
  description?: string;
  /** What is given before the directory. */
  arguments?: readonly Argument[];
  /** Only for `init`: whether the directory must be given. */
  needsDirectory?: boolean;
  options?: Options;
  /** Whether it may print until it is ended: it ends when nobody reads its output any more. */
  endless?: boolean;
  /** Command lines without `clutch` → what they do. */
  examples: Readonly<Record<string, string>>;
  run(input: CommandInput<Options>): Promise<Data>;
  print?(data: Awaited<Data>, input: CommandInput<Options>): string;
}

/** A command of which the types of options and data are no longer of interest. */
export type Command = CommandDefinition<OptionTable, unknown>;

/** What `clutch --help` knows of a command. */
export interface CommandEntry {
  group: 'Develop' | 'Run' | 'Explain' | 'More';
  summary: string;
  load(): Promise<{ command: Command }>;
}

export type Commands = Readonly<Record<string, CommandEntry>>;

/** Checks a command's definition and forgets its particular types. */
export function defineCommand<const Options extends OptionTable, Data>(
  definition: CommandDefinition<Options, Data>,
): Command {
  return definition as unknown as Command;
}
