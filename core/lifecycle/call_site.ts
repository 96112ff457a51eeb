/** @returns `file:line:column` of the first caller outside this package, as a name for a task that has none */
export function callSite(): string {
  const here = new URL('../..', import.meta.url).pathname;
  const frames = new Error().stack?.split('\n').slice(2) ?? [];
  const frame = frames.find((line) => !line.includes(here)) ?? frames[0] ?? 'anonymous';
  return /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace(/^file:\/\//, '') ?? frame.trim();
}
