import { setTimeout as sleep } from 'node:timers/promises';
import { askMaster, type ClusterStatus, type ProcessStatus } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';
import { duration } from '../../terminal/units.js';

export const command = defineCommand({
  options: { watch: { help: 'print it again each second' } },
  endless: true,
  examples: { status: 'of the app here', 'status --watch': 'refreshed each second', 'status --json': 'for programs' },
  async run({ directory, options, json }) {
    const ask = async (): Promise<ClusterStatus> =>
      (await askMaster(directory, { command: 'status' })) as ClusterStatus;
    while (options.watch) {
      const status = await ask();
      if (process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H');
      console.log(json ? JSON.stringify(status) : format(status));
      await sleep(1000);
    }
    return ask();
  },
  print: format,
});

function format({ state, address, workers, processes }: ClusterStatus): string {
  const losesLines = processes.some(({ lostLogLines = 0 }) => lostLogLines > 0);
  const losesMessages = processes.some(({ undeliveredMessages = 0 }) => undeliveredMessages > 0);
  const head = [
    'process',
    'pid',
    'state',
    'uptime',
    'restarts',
    'MiB',
    'cpu %',
    'loop p50/p99 ms',
    'requests',
    'connections',
    'in flight',
    ...(losesLines ? ['lost log lines'] : []),
    ...(losesMessages ? ['undelivered messages'] : []),
    'last exit',
  ];
  const rows = processes.map((process) => [
    process.slot === undefined ? process.kind : `${process.kind} ${process.slot}`,
    cell(process.pid),
    stateCell(process),
    process.pid === undefined ? '' : duration(process.uptime),
    String(process.restarts),
    cell(process.memory),
    cell(process.cpu),
    process.loopP50 === undefined ? '' : `${process.loopP50}/${process.loopP99}`,
    cell(process.requests),
    cell(process.connections),
    cell(process.inFlight),
    ...(losesLines ? [cell(process.lostLogLines)] : []),
    ...(losesMessages ? [cell(process.undeliveredMessages)] : []),
    lastExit(process),
  ]);
  return [
    `${address} is ${state}, ${workers === 0 ? 'one process' : `${workers} app worker${workers === 1 ? '' : 's'} wanted`}`,
    '',
    table([head, ...rows]),
    ...processes.flatMap(otherOptions),
  ].join('\n');
}

/** @returns a line for a process that was started before options were changed */
function otherOptions({ kind, pid, options }: ProcessStatus): string[] {
  if (!options) return [];
  const values = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return [`${kind} ${pid} runs with ${values.join(' ')} until the next reload`];
}

function stateCell({ state, attempt, nextAttempt }: ProcessStatus): string {
  if (nextAttempt === undefined) return state;
  const seconds = Math.max(0, Math.round((Date.parse(nextAttempt) - Date.now()) / 1000));
  return `${state}, attempt ${attempt} in ${seconds}s`;
}

function cell(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

function lastExit({ lastExit: reason = '' }: ProcessStatus): string {
  return reason.length > 120 ? `${reason.slice(0, 119)}…` : reason;
}
