import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { codeFrame, displayPosition } from '../../output/code_frame.js';

export interface TypeErrors {
  count: number;
  /** The first ones, each with its line. */
  text: string;
}

/** Errors that are shown with their line. */
const SHOWN = 3;
const ERROR = /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/gm;

/** Checks the types of an app with its own TypeScript, one check at a time: a later one takes the place of an earlier one. */
export class TypeCheck {
  readonly #directory: string;
  #running: ChildProcess | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @returns the errors, or undefined if the check was stopped, or the app has no TypeScript installed */
  async run(): Promise<TypeErrors | undefined> {
    this.stop();
    const tsc = this.#compiler();
    if (tsc === undefined) return undefined;
    const child = spawn(process.execPath, [tsc, '--noEmit', '--pretty', 'false', '-p', this.#directory], {
      cwd: this.#directory,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#running = child;
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    await new Promise((resolve) => child.once('close', resolve));
    if (this.#running !== child) return undefined;
    this.#running = undefined;
    return this.#parse(output);
  }

  stop(): void {
    this.#running?.kill();
    this.#running = undefined;
  }

  #compiler(): string | undefined {
    try {
      const pkg = createRequire(path.join(this.#directory, 'package.json')).resolve('typescript/package.json');
      return path.join(path.dirname(pkg), 'bin/tsc');
    } catch {
      return undefined;
    }
  }

  #parse(output: string): TypeErrors {
    const errors = [...output.matchAll(ERROR)].map(([, file = '', line, column, code, message]) => {
      const position = { file: path.resolve(this.#directory, file), line: Number(line), column: Number(column) };
      const frame = codeFrame(position).map((text) => `  ${text}`);
      return [`${displayPosition(position)} ${code}: ${message}`, ...frame].join('\n');
    });
    const more = errors.length > SHOWN ? [`… and ${errors.length - SHOWN} more: npx tsc --noEmit shows all`] : [];
    return { count: errors.length, text: [...errors.slice(0, SHOWN), ...more].join('\n') };
  }
}
