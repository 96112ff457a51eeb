import { ClutchError } from '../../../errors.js';
import { withPosition } from '../../../output/hook_position.js';
import { type BootStep, criticalChain, lastTimings, type TimedStep } from '../../boot_chain.js';
import { defineCommand } from '../../command.js';
import { shortPath, table } from '../../terminal/table.js';

interface BootReport {
  role: 'Agent' | 'app worker';
  pid: number;
  /** Milliseconds from the start of the process until it was ready. */
  took: number;
  /** What ready waited for, last first. */
  chain: BootStep[];
}

const ROLES = { agent: 'Agent', application: 'app worker' } as const;
/** `configDidLoad in FILE`, `Did Load in FILE:didLoad`. */
const HOOK = /^(?:[\w ]+) in (.+?)(?::\w+)?$/;
const NAMES: Record<string, string> = {
  'Did Load': 'didLoad',
  'Will Ready': 'willReady',
  'Did Ready': 'didReady',
  'Server Did Ready': 'serverDidReady',
  'Before Start': 'beforeStart',
};
const LOADED = /^(?:Load|Require) (\S+\.\w+)$/;

export const command = defineCommand({
  description: `The critical chain of the last boot of the Agent and of an app worker, last step first: each step ended just before the one above it could begin.
Steps beside the chain took time, too, and nobody waited for them.`,
  examples: { boot: 'of the app here', 'boot --json': 'for programs' },
  async run({ directory }): Promise<BootReport[]> {
    const reports = Object.entries(ROLES).flatMap(([type, role]): BootReport[] => {
      const steps = lastTimings(directory, type);
      return steps ? [reportOf(role, steps, directory)] : [];
    });
    if (reports.length > 0) return reports;
    throw new ClutchError('ERR_CLUTCH_NOT_FOUND', 'no boot has been measured', {
      where: `${directory}/run`,
      fix: 'Start the app once; it writes run/*_timing_*.json when it is ready.',
    });
  },
  print: (reports) =>
    reports
      .map(({ role, pid, took, chain }) => {
        const rows = chain.map(({ at, duration, name, where }) => [`  @${at} ms`, `+${duration} ms`, name, where]);
        return `${role} (pid ${pid}) was ready after ${took} ms\n${table(rows)}`;
      })
      .join('\n\n'),
});

function reportOf(role: BootReport['role'], steps: TimedStep[], directory: string): BootReport {
  const begin = Math.min(...steps.map(({ start }) => start));
  const end = Math.max(...steps.map(({ start, duration = 0 }) => start + duration));
  const chain = criticalChain(steps).map(({ name, start, duration = 0 }) => ({
    at: Math.round(start - begin),
    duration: Math.round(duration),
    ...placeOf(name, directory),
  }));
  return { role, pid: steps[0]?.pid ?? 0, took: Math.round(end - begin), chain };
}

/** Hooks and loaded files are named with their place. */
function placeOf(step: string, baseDir: string): { name: string; where: string } {
  const [, file] = HOOK.exec(step) ?? [];
  if (file !== undefined) {
    const [title = ''] = step.split(' in ');
    const name = NAMES[title] ?? title;
    const [, line] = /:(\d+):\d+$/.exec(withPosition(`${file}:${name}`)) ?? [];
    return { name, where: `${shortPath(file, baseDir)}${line === undefined ? '' : `:${line}`}` };
  }
  return { name: step, where: LOADED.exec(step)?.[1] ?? '' };
}
