import { ClutchError } from '../../errors.js';
import { dateTime } from '../../output/timestamp.js';
import { table } from '../terminal/table.js';
import type { AskFleet, FleetReport } from './ask.js';

/**
 * @returns the fleet as this machine sees it
 * @throws {ClutchError} ERR_CLUTCH_FLEET if it has no connection; a program gets the report and the exit code
 */
export async function readStatus(ask: AskFleet, { json }: { json: boolean }): Promise<FleetReport> {
  const report = await ask<FleetReport>({ command: 'status' });
  if (report.connected) return report;
  if (!json) throw notConnected(report);
  process.exitCode = 1;
  return report;
}

export function notConnected({ member, name, problem = '', disconnections, missed }: FleetReport): ClutchError {
  return new ClutchError(
    'ERR_CLUTCH_FLEET',
    `${member} is not connected to fleet ${name}, whose machines are unknown`,
    {
      where: [...withoutCode(problem), countsOf(disconnections, missed)],
    },
  );
}

function withoutCode(message: string): string[] {
  return message.split('\n').map((line) => line.trim().replace(/^ERR_CLUTCH_\w+: /, ''));
}

function countsOf(disconnections: number, missed: number): string {
  return `${disconnections} ${disconnections === 1 ? 'time' : 'times'} disconnected, ${missed} packets missed`;
}

export function formatStatus({ name, member, disconnections, missed, members, leaders }: FleetReport): string {
  const head = ['machine', 'state', 'version', 'host', 'workers', 'load', 'since', 'leads'];
  const rows = members.map(({ id, state, version, host, workers, load, since }) => [
    id,
    state,
    version,
    host,
    String(workers.length),
    load.toFixed(2),
    dateTime(since),
    Object.keys(leaders)
      .filter((what) => leaders[what] === id)
      .join(', '),
  ]);
  const here = `${member} is connected to fleet ${name}`;
  return [`${here}, ${countsOf(disconnections, missed)}`, '', table([head, ...rows])].join('\n');
}
