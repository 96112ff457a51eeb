import { dateTime } from '../../output/timestamp.js';
import { table } from '../terminal/table.js';
import type { AskFleet } from './ask.js';

interface Run {
  schedule: string;
  member: string;
  /** The time for which it runs, and when it began, in milliseconds since the epoch. */
  due: number;
  at: number;
  attempt: number;
  /** Absent while it runs. */
  result?: { rt: number; success: boolean; message: string };
}

export interface FleetHistory {
  /** The last one first. */
  runs: Run[];
  /** Times that no machine has run, by schedule. */
  missed: Record<string, number>;
}

type PastRun = Omit<Run, 'schedule' | 'result'> & { rt: number; success: boolean; message: string };
type Reply = Record<string, { missed: number; runs: Omit<Run, 'schedule'>[]; history: PastRun[] }>;

export async function readHistory(ask: AskFleet): Promise<FleetHistory> {
  const schedules = Object.entries(await ask<Reply>({ command: 'history' }));
  const runs = schedules.flatMap(([schedule, { runs: running, history }]): Run[] => [
    ...running.map(({ member, due, at, attempt }) => ({ schedule, member, due, at, attempt })),
    ...history.map(({ member, due, at, attempt, rt, success, message }) => ({
      schedule,
      member,
      due,
      at,
      attempt,
      result: { rt, success, message },
    })),
  ]);
  return {
    runs: runs.sort((a, b) => b.due - a.due || b.attempt - a.attempt),
    missed: Object.fromEntries(schedules.map(([schedule, { missed }]) => [schedule, missed])),
  };
}

export function formatHistory({ runs, missed }: FleetHistory): string {
  if (runs.length === 0) return 'no schedule of the fleet has run';
  const head = ['machine', 'schedule', 'due', 'attempt', 'took', 'result'];
  const rows = [...runs]
    .sort((a, b) => (a.member < b.member ? -1 : a.member > b.member ? 1 : b.due - a.due))
    .map(({ member, schedule, due, attempt, result }) => [
      member,
      schedule,
      dateTime(due),
      String(attempt),
      result ? `${result.rt} ms` : '',
      result ? (result.success ? 'ok' : (result.message.split('\n')[0] as string)) : 'running',
    ]);
  const lost = Object.entries(missed).filter(([, count]) => count > 0);
  const lines = lost.map(([schedule, count]) => `${schedule}: no machine ran it at ${count} of its times`);
  return [table([head, ...rows]), ...lines].join('\n');
}
