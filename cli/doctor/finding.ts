import { dim, failure, heading, success, warning } from '../terminal/style.js';

/** `error`: the app cannot run, or not safely. `warning`: something does not do what it seems to. `note`: good to know. */
type Level = 'error' | 'warning' | 'note';

export interface Finding {
  level: Level;
  what: string;
  /** File, key or directory. */
  where?: string;
  /** The command or the line that mends it. */
  fix: string;
}

const LEVELS: readonly Level[] = ['error', 'warning', 'note'];
const COLOURS = { error: failure, warning, note: heading } satisfies Record<Level, (text: string) => string>;

/** @returns findings with the worst first; those of one level keep their order */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return LEVELS.flatMap((level) => findings.filter((finding) => finding.level === level));
}

/** @returns the text for people: what, where and how it is mended, then how many of each level there are */
export function printFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return success('nothing found');
  const blocks = findings.map(({ level, what, where, fix }) => {
    const lines = [`${COLOURS[level](level)}: ${what}`];
    if (where) lines.push(...where.split('\n').map((line) => dim(`  ${line}`)));
    return [...lines, `  ${fix}`].join('\n');
  });
  return [...blocks, summary(findings)].join('\n\n');
}

function summary(findings: readonly Finding[]): string {
  const counts = LEVELS.map((level) => [level, findings.filter((finding) => finding.level === level).length] as const);
  return counts
    .filter(([, count]) => count > 0)
    .map(([level, count]) => `${count} ${level}${count === 1 ? '' : 's'}`)
    .join(', ');
}
