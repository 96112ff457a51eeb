import type { Finding } from '../finding.js';

/** @returns what keeps the app from loading: the error has its own place and its own advice */
export function checkLoad(error: Error): Finding {
  const lines = error.message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // `clutch config` says "the app does not load" and then the app's own error, as it would be on the screen.
  const [first = error.message, ...rest] = /does not load$/.test(lines[0] ?? '') ? lines.slice(1) : lines;
  return {
    level: 'error',
    what: `the app does not load: ${first}`,
    where: rest.slice(0, -1).join('\n'),
    fix: rest.at(-1) ?? '`clutch config --stack` shows the whole error.',
  };
}
