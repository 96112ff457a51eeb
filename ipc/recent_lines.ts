/** How many lines are reported. */
const COUNT = 20;

/** The last lines, in turn from `next` on; twice as many as are reported, since an error goes to two logs. */
const lines: string[] = new Array(COUNT * 2).fill('');
let next = 0;

/**
 * Keeps the last lines that this process writes, for the record of its death. It runs for each line of a log and looks at none:
 * comparing a line that was just put together takes longer than everything else that a log does with it.
 *
 * @param line one line or more, in whatever way they end
 */
export function keepLine(line: string): void {
  lines[next] = line;
  next = next + 1 === lines.length ? 0 : next + 1;
}

/** @returns the last lines since the last call, a line that several logs got in a row only once */
export function takeLines(): string[] {
  const inOrder = [...lines.slice(next), ...lines.slice(0, next)].filter((line) => line !== '');
  lines.fill('');
  return inOrder.filter((line, index) => line !== inOrder[index - 1]).slice(-COUNT);
}

/** Keeps what is written to stdout and stderr as well, by whatever code. */
export function keepStandardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = ((chunk: unknown, ...rest: unknown[]) => {
      if (typeof chunk === 'string') keepLine(chunk);
      return write(chunk, ...rest);
    }) as typeof stream.write;
  }
}
