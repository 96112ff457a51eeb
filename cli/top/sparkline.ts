const BLOCKS = '▁▂▃▄▅▆▇█';
const ASCII = '_.-~=+*#';

/** Whether the terminal shows more than ASCII, as the locale says. */
export function hasUnicode(env: NodeJS.ProcessEnv = process.env): boolean {
  return /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
}

/**
 * @param values the newest last
 * @param width characters
 * @returns the last values as bars, from 0 to the largest of them; spaces stand before those that there are not
 */
export function sparkline(values: readonly number[], width: number, unicode: boolean): string {
  const bars = unicode ? BLOCKS : ASCII;
  const shown = values.slice(-width);
  const most = Math.max(...shown, 0);
  const levels = shown.map((value) => (most === 0 ? 0 : Math.round((Math.max(0, value) / most) * (bars.length - 1))));
  return levels
    .map((level) => bars[level])
    .join('')
    .padStart(width);
}
