/** The level of each method of `console` that prints lines. */
const METHODS = { debug: 0, log: 1, info: 1, warn: 2, error: 3 } as const;
const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'NONE'];

let leveled: Console | undefined;

/** @returns a `console` whose methods below `NODE_CONSOLE_LOGGRE_LEVEL` (as Egg spells it; default INFO) print nothing */
export function leveledConsole(): Console {
  leveled ??= withLevel(process.env['NODE_CONSOLE_LOGGRE_LEVEL'] ?? 'INFO');
  return leveled;
}

function withLevel(level: string): Console {
  const least = LEVELS.indexOf(level.toUpperCase());
  const silent = Object.entries(METHODS).filter(([, rank]) => rank < least);
  return Object.assign(Object.create(console) as Console, Object.fromEntries(silent.map(([name]) => [name, () => {}])));
}
