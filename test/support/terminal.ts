import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT, until } from './apps.js';

/** Why there is no terminal to test in; false when there is one. */
export const noTerminal =
  process.platform === 'win32' || spawnSync('python3', ['-c', 'import pty, termios']).status !== 0
    ? 'needs python3, whose module pty makes a terminal'
    : false;

export interface Terminal {
  /** What is on the screen now, a string for each line. */
  lines(): string[];
  /** Everything that was written, with the sequences. */
  output(): string;
  type(keys: string): void;
  resize(rows: number, columns: number): void;
  signal(signal: number): void;
  shows(text: RegExp): Promise<string>;
  ended: Promise<{ restored: boolean; code: number }>;
}

/** Runs a command in a terminal. */
export function openTerminal(
  t: TestContext,
  command: string[],
  { rows = 24, columns = 80, env = {} }: { rows?: number; columns?: number; env?: NodeJS.ProcessEnv } = {},
): Terminal {
  const child = spawn(
    'python3',
    [path.join(ROOT, 'test/support/in_terminal.py'), String(rows), String(columns), ...command],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_TEST_CONTEXT: undefined,
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        LC_ALL: '',
        ...env,
      },
    },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const ended = once(child, 'close').then(() => JSON.parse(errors.trim().split('\n').at(-1) ?? '') as never);
  ended.catch(() => undefined);
  t.after(() => {
    if (child.exitCode === null) child.stdin.end(`${JSON.stringify({ signal: 9 })}\n`);
  });
  const tell = (data: object): void => void child.stdin.write(`${JSON.stringify(data)}\n`);
  const lines = (): string[] => screenOf(output);
  return {
    lines,
    output: () => output,
    type: (keys) => tell({ keys }),
    resize: (r, c) => tell({ size: [r, c] }),
    signal: (signal) => tell({ signal }),
    shows: async (text) => {
      try {
        return await until(`the screen shows ${text}`, () => {
          const screen = lines().join('\n');
          if (child.exitCode !== null) throw new Error(`it has ended without showing ${text}`);
          return text.test(screen) && screen;
        });
      } catch (error) {
        throw new Error(`${(error as Error).message}, but:\n${lines().join('\n')}\n${errors}`);
      }
    },
    ended,
  };
}

/** What a terminal makes of text and of the few sequences that the command line writes. */
function screenOf(output: string): string[] {
  let lines: string[] = [];
  let [row, column] = [0, 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with escape
  for (const [token, parameters = '', final] of output.matchAll(/\u001b\[([?\d;]*)([A-Za-z])|[\s\S]/gu)) {
    if (final === 'H') [row = 1, column = 1] = parameters.split(';').map(Number);
    if (final === 'H') [row, column] = [row - 1, column - 1];
    else if (final === 'K') lines[row] = (lines[row] ?? '').slice(0, column);
    else if (final === 'J' || parameters === '?1049') lines = [];
    else if (final === undefined && token === '\n') row += 1;
    else if (final === undefined && token === '\r') column = 0;
    else if (final === undefined) {
      const line = (lines[row] ?? '').padEnd(column);
      lines[row] = line.slice(0, column) + token + line.slice(column + 1);
      column += 1;
    }
  }
  return Array.from(lines, (line) => line ?? '');
}
