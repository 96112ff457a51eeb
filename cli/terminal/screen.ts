const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** Signals that end a process, with the exit codes that shells give them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

interface ScreenParts {
  /** Called with what was typed. */
  onInput(text: string): void;
  /** Called when the terminal has another size. */
  onResize(): void;
}

/** The whole terminal, while something live is shown: as it was before when this process ends, however it does. */
export class Screen {
  readonly #out = process.stdout;
  readonly #in = process.stdin;
  readonly #parts: ScreenParts;
  readonly #restore = (): void => this.close();
  /** What is shown. */
  #lines: string[] = [];
  #isOpen = false;

  constructor(parts: ScreenParts) {
    this.#parts = parts;
  }

  get size(): { width: number; height: number } {
    return { width: this.#out.columns || 80, height: this.#out.rows || 24 };
  }

  open(): void {
    this.#isOpen = true;
    process.once('exit', this.#restore);
    for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code));
    // With the listener, Node does not end the process by itself: the error is printed on the restored screen.
    process.once('uncaughtException', (error) => {
      this.close();
      console.error(error);
      process.exit(1);
    });
    // The terminal is gone, as when a connection is cut.
    this.#out.on('error', () => process.exit(SIGNALS.SIGHUP));
    this.#out.on('resize', () => {
      this.#lines = [];
      if (this.#isOpen) this.#out.write('\u001b[2J');
      this.#parts.onResize();
    });
    if (this.#in.isTTY) this.#in.setRawMode(true);
    this.#in.setEncoding('utf8').on('data', (text) => this.#parts.onInput(String(text)));
    this.#in.resume();
    this.#out.write(ENTER);
  }

  /** Writes the lines that have changed; a terminal that lags behind gets only what is newest by then. */
  show(lines: readonly string[]): void {
    if (!this.#isOpen || this.#out.writableNeedDrain) return;
    let text = '';
    const { height } = this.size;
    for (let index = 0; index < Math.min(height, Math.max(lines.length, this.#lines.length)); index += 1) {
      const line = lines[index] ?? '';
      if (line !== this.#lines[index]) text += `\u001b[${index + 1};1H${line}\u001b[K`;
    }
    this.#lines = [...lines];
    if (text) this.#out.write(text);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#restore);
    if (this.#in.isTTY) this.#in.setRawMode(false);
    this.#in.pause();
    this.#out.write(LEAVE);
  }
}
