import { COMMANDS } from './commands.js';
import { EXIT_CODES } from './exit_codes.js';
import { optionsOf, usageOf } from './parse.js';

/** @returns the part of docs/cli.md that is about each command */
export async function commandTable(): Promise<string> {
  const rows = ['| command | what it does | options |', '|---|---|---|'];
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const { command } = await load();
    const flags = Object.entries(optionsOf(command))
      .filter(([flag]) => flag !== 'stack')
      .map(([flag, { argument }]) => `\`--${flag}${argument ? ` <${argument}>` : ''}\``);
    const usage = usageOf(command).replace(' [options]', '');
    rows.push(`| \`clutch ${name} ${usage}\` | ${summary} | ${flags.join(', ')} |`);
  }
  return rows.join('\n');
}

/** @returns the table of exit codes in docs/cli.md */
export function exitCodeTable(): string {
  const rows = Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  return ['| exit code | meaning |', '|---|---|', ...rows].join('\n');
}
