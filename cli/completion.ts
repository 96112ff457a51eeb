import type { CommandEntry, Commands } from './command.js';
import { optionsOf } from './parse.js';

export type Shell = 'bash' | 'zsh' | 'fish';

interface Completed {
  name: string;
  summary: string;
  /** With its two dashes → what it does. */
  flags: [flag: string, help: string][];
  /** Of flags that a value follows: the values that there are, if they are few. */
  values: Record<string, readonly string[]>;
  /** Values of its arguments. */
  choices: string[];
}

/** @returns a script that completes what the table of commands holds; it asks no process while one types */
export async function completionScript(shell: Shell, commands: Commands): Promise<string> {
  const completed = await Promise.all(Object.entries(commands).map(([name, entry]) => complete(name, entry)));
  return { bash, zsh, fish }[shell](completed);
}

async function complete(name: string, { summary, load }: CommandEntry): Promise<Completed> {
  const { command } = await load();
  const flags = Object.entries({ ...optionsOf(command), help: { help: 'show its help' } });
  return {
    name,
    summary,
    flags: flags.map(([flag, { help }]) => [`--${flag}`, help]),
    values: Object.fromEntries(
      Object.entries(optionsOf(command)).flatMap(([flag, { argument, choices = [] }]) =>
        argument ? [[`--${flag}`, choices]] : [],
      ),
    ),
    choices: (command.arguments ?? []).flatMap(({ choices = [] }) => choices),
  };
}

function bash(commands: Completed[]): string {
  const cases = commands.map(
    ({ name, flags, values, choices }) =>
      `    ${name}) words="${[...flags.map(([flag]) => flag), ...choices, ...Object.values(values).flat()].join(' ')}" ;;`,
  );
  return `_clutch() {
  local words current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -d -- "$current"))
}
complete -F _clutch clutch`;
}

function zsh(commands: Completed[]): string {
  const described = (rows: [string, string][]): string =>
    rows.map(([word, help]) => quoted(`${word}:${help.replaceAll(':', '\\:')}`)).join(' ');
  const cases = commands.map(({ name, flags, values, choices }) => {
    const rows = described([
      ...flags,
      ...[...choices, ...Object.values(values).flat()].map((choice): [string, string] => [choice, '']),
    ]);
    return `    ${name}) words=(${rows}) ;;`;
  });
  return `#compdef clutch
_clutch() {
  local -a words_
  local -a words=()
  if (( CURRENT == 2 )); then
    words_=(${described(commands.map(({ name, summary }) => [name, summary]))})
    _describe command words_
    return
  fi
  case "\${(Q)\${(z)BUFFER}[2]}" in
${cases.join('\n')}
  esac
  _describe option words
  _files -/
}
compdef _clutch clutch`;
}

function fish(commands: Completed[]): string {
  return commands
    .flatMap(({ name, summary, flags, values, choices }) => [
      `complete -c clutch -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...flags.map(
        ([flag, help]) =>
          `complete -c clutch -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)} -d ${quoted(help)}${fishValues(values[flag])}`,
      ),
      ...choices.map((choice) => `complete -c clutch -n '__fish_seen_subcommand_from ${name}' -a ${choice}`),
    ])
    .join('\n');
}

/** @param values undefined for a switch; a flag without known values takes a file or any text */
function fishValues(values: readonly string[] | undefined): string {
  if (!values) return '';
  return values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : ' -r';
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
