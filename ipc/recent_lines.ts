/** How many lines are kept. */
const COUNT = 20;

let lines: string[] = [];

/**
 * Keeps the last lines that this process writes, for the record of its death.
 *
 * @param line one line or more, in whatever way they end
 */
export function keepLine(line: string): void {
  // An error goes to two logs.
  if (line === lines[lines.length - 1]) return;
  if (lines.length >= COUNT * 2) lines = lines.slice(COUNT);
  lines.push(line);
}

/** @returns the last lines since the last call */
export function takeLines(): string[] {
  const taken = lines.slice(-COUNT);
  lines = [];
  return taken;
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
