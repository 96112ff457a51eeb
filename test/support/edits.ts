import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Changes files of an app, and undoes it. */
export class Edits {
  readonly #dir: string;
  readonly #before = new Map<string, string | undefined>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  readonly write = (name: string, text: string): void => {
    const file = path.join(this.#dir, name);
    if (!this.#before.has(file)) this.#before.set(file, existsSync(file) ? readFileSync(file, 'utf8') : undefined);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };

  readonly append = (name: string, text: string): void => this.write(name, this.#read(name) + text);

  readonly prepend = (name: string, text: string): void => this.write(name, text + this.#read(name));

  readonly replace = (name: string, from: string, to: string): void => {
    assert.ok(this.#read(name).includes(from), `${name} has no ${from}`);
    this.write(name, this.#read(name).replace(from, to));
  };

  undo(): void {
    for (const [file, text] of this.#before) {
      if (text === undefined) rmSync(file);
      else writeFileSync(file, text);
    }
    this.#before.clear();
  }

  #read(name: string): string {
    return readFileSync(path.join(this.#dir, name), 'utf8');
  }
}
