import { askMaster } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';

/** What the fleet plugin in the Agent reports. */
interface FleetReport {
  name: string;
  member: string;
  connected: boolean;
  disconnections: number;
  missed: number;
  members: {
    id: string;
    state: string;
    version: string;
    host: string;
    workers: string[];
    load: number;
    since: number;
  }[];
  /** Machines by the name of what they lead. */
  leaders: Record<string, string>;
}

export const command = defineCommand({
  description: 'Asks the running app here, with plugin `fleet`.',
  arguments: [{ name: 'action', help: 'the machines, their state and load', choices: ['status'] }],
  examples: { 'fleet status': 'of the fleet that the app here belongs to', 'fleet status --json': 'for programs' },
  run: async ({ directory }) =>
    (await askMaster(directory, { command: 'fleet', request: { command: 'status' } })) as FleetReport,
  print: format,
});

function format({ name, member, connected, disconnections, missed, members, leaders }: FleetReport): string {
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
