import { table } from '../terminal/table.js';
import type { FleetReport } from './ask.js';

export function formatStatus({
  name,
  member,
  connected,
  disconnections,
  missed,
  members,
  leaders,
}: FleetReport): string {
  const head = ['machine', 'state', 'version', 'host', 'workers', 'load', 'since', 'leads'];
  const rows = members.map(({ id, state, version, host, workers, load, since }) => [
    id,
    state,
    version,
    host,
    String(workers.length),
    load.toFixed(2),
    new Date(since).toISOString().replace(/\.\d+Z$/, 'Z'),
    Object.keys(leaders)
      .filter((what) => leaders[what] === id)
      .join(', '),
  ]);
  const here = `${member} is ${connected ? 'connected' : 'not connected'} to fleet ${name}`;
  const counts = `${disconnections} times disconnected, ${missed} packets missed`;
  return [`${here}, ${counts}`, '', table([head, ...rows])].join('\n');
}
