import { criticalChain, lastTimings, placeOf, spanOf, type TimedStep } from '../../../cluster/admin/boot_timeline.js';
import { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';

interface BootStep {
  name: string;
  /** File, and line if it is known. */
  where: string;
  /** Milliseconds since the process began. */
  at: number;
  /** Milliseconds. */
  duration: number;
}

interface BootReport {
  role: 'Agent' | 'app worker';
  pid: number;
  /** Milliseconds from the start of the process until it was ready. */
  took: number;
  /** What ready waited for, last first. */
  chain: BootStep[];
}

const ROLES = { agent: 'Agent', application: 'app worker' } as const;

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
  const { begin, end } = spanOf(steps);
  const chain = criticalChain(steps).map(({ name, start, duration = 0 }) => ({
    at: Math.round(start - begin),
    duration: Math.round(duration),
    ...placeOf(name, directory),
  }));
  return { role, pid: steps[0]?.pid ?? 0, took: Math.round(end - begin), chain };
}
