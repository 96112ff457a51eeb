import path from 'node:path';
import { askMaster, type TakenProfile } from '../../../cluster/index.js';
import { shortPath } from '../../../resolve/short_path.js';
import { defineCommand } from '../../command.js';
import { parseDuration } from '../../flags/duration.js';
import { usageError } from '../../usage_error.js';

const OPENED_BY = {
  cpu: 'Chrome DevTools: Performance, Load profile; or drop it on speedscope.app, VS Code',
  heap: 'Chrome DevTools: Memory, Load',
  allocations: 'Chrome DevTools: Memory, Load',
} as const;

export const command = defineCommand({
  description: `The process records itself, through Node's inspector and without a port, while it serves; one is taken at a time. During a heap snapshot the
process stands still, for some seconds per gigabyte, and needs as much memory again; it gets no new connections meanwhile and is not taken
for blocked. The file is for its user only: it holds texts of the app.`,
  arguments: [
    { name: 'pid', help: 'of an app worker, the Agent or the Master; of a thread, its id: see `clutch status`' },
  ],
  options: {
    cpu: { argument: 'time', help: 'where the time goes, for so long; default 10s' },
    heap: { help: 'all objects there are now' },
    allocations: { help: 'what allocates memory, sampled for the time of --for' },
    for: { argument: 'time', help: 'with --allocations; default 10s, at most 5m' },
    output: { short: 'o', argument: 'file', help: 'default a new one in run/profiles/' },
  },
  examples: {
    'profile 4711': 'ten seconds of CPU',
    'profile 4711 --heap': 'a heap snapshot',
    'profile 4711 --allocations --for 30s': 'who allocates',
  },
  async run({ directory, args: [pid = ''], options }) {
    const { cpu, heap, allocations, output } = options;
    if (!/^\d{1,10}$/.test(pid)) throw usageError(`the pid is ${pid}`);
    const kinds = [
      cpu !== undefined && ('cpu' as const),
      heap && ('heap' as const),
      allocations && ('allocations' as const),
    ];
    const [kind = 'cpu', ...others] = kinds.filter((each) => each !== false && each !== undefined);
    if (others.length > 0) throw usageError('--cpu, --heap and --allocations are taken one at a time');
    const time = cpu ?? options.for;
    const request = {
      pid: Number(pid),
      kind,
      seconds: time === undefined ? undefined : parseDuration(cpu === undefined ? 'for' : 'cpu', time, 's') / 1000,
      output: output === undefined ? undefined : path.resolve(output),
    };
    return (await askMaster(directory, { command: 'profile', request })) as TakenProfile;
  },
  print: ({ process: name, pid, kind, file, bytes, took }) =>
    [
      `${name} ${pid}: ${size(bytes)} in ${(took / 1000).toFixed(1)} s`,
      `  ${shortPath(file, process.cwd())}`,
      `  opened by ${OPENED_BY[kind]}`,
    ].join('\n'),
});

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
