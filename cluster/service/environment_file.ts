import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ClutchError, toError } from '../../errors.js';

/** What a file changes, without the values: they may be secrets. */
export interface EnvironmentChange {
  name: string;
  change: 'added' | 'changed' | 'removed';
}

/** The variables that a file gives to processes that are started from now on, in place of those of the file before. */
export class EnvironmentFile {
  readonly #env: NodeJS.ProcessEnv;
  /** What the variables of the file had been before it. */
  #before = new Map<string, string | undefined>();

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#env = env;
  }

  /** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND when the file cannot be read */
  changes(file: string): EnvironmentChange[] {
    const wanted = this.#wanted(file);
    return [...wanted].flatMap(([name, value]): EnvironmentChange[] => {
      const now = this.#env[name];
      if (now === value) return [];
      if (value === undefined) return [{ name, change: 'removed' }];
      return [{ name, change: now === undefined ? 'added' : 'changed' }];
    });
  }

  /**
   * @returns a function that takes it back
   * @throws {ClutchError} ERR_CLUTCH_NOT_FOUND when the file cannot be read
   */
  apply(file: string): () => void {
    const wanted = this.#wanted(file);
    const names = Object.keys(read(file));
    const before = this.#before;
    const current = new Map([...wanted.keys()].map((name) => [name, this.#env[name]]));
    this.#before = new Map(names.map((name) => [name, before.has(name) ? before.get(name) : this.#env[name]]));
    this.#set(wanted);
    return () => {
      this.#before = before;
      this.#set(current);
    };
  }

  /** Every variable that this file or the one before sets; undefined when it is to be away. */
  #wanted(file: string): Map<string, string | undefined> {
    return new Map([...this.#before, ...Object.entries(read(file))]);
  }

  #set(values: Map<string, string | undefined>): void {
    for (const [name, value] of values) {
      if (value === undefined) delete this.#env[name];
      else this.#env[name] = value;
    }
  }
}

function read(file: string): Record<string, string> {
  try {
    return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `${file} cannot be read: ${toError(cause).message}`, {
      fix: 'Give the path of a file with a line NAME=value for each variable.',
      cause,
    });
  }
}
