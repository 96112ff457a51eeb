import { askMaster } from '../../../cluster/index.js';
import { ClutchError } from '../../../errors.js';
import { dateTime } from '../../../output/timestamp.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';
import { usageError } from '../../usage_error.js';

/** What the jobs plugin in the Agent reports of the jobs of one name. */
interface QueueReport {
  name: string;
  paused: boolean;
  waiting: number;
  active: number;
  delayed: number;
  completed: number;
  failed: number;
  failedJobs: { id: string; key?: string; error: string; at: string; attempts: number }[];
}

const ACTIONS = ['list', 'retry', 'pause', 'resume'] as const;

export const command = defineCommand({
  description: `Asks the running app here, with plugin \`jobs\`. While the jobs of a name are paused, none of them begins on any machine; those
that run go on.`,
  arguments: [
    {
      name: 'action',
      help: 'list the jobs and those that failed; run a failed one again; pause the jobs of a name, and resume them',
      choices: ACTIONS,
      optional: true,
    },
    { name: 'name', help: 'of the job; with `retry`, the id of one that failed', optional: true },
  ],
  examples: {
    jobs: 'how many wait, run and have failed, and why',
    'jobs retry j3f9a0c1d2e4b5a697880': 'run a failed job again, with all its attempts',
    'jobs pause email/welcome': 'begin none of these any more',
    'jobs resume email/welcome': 'begin them again',
  },
  async run({ directory, args: [action = 'list', name] }) {
    if (action === 'list') return ask(directory, { command: 'list', ...(name === undefined ? {} : { queue: name }) });
    if (name === undefined) throw usageError(action === 'retry' ? 'the id is missing' : 'the job is not named');
    return ask(directory, action === 'retry' ? { command: action, id: name } : { command: action, queue: name });
  },
  print(data, { args: [action = 'list'] }) {
    if (action === 'list') return format(data as QueueReport[]);
    if (action === 'retry') {
      const { name, id } = data as { name: string; id: string };
      return `${name} ${id} runs again`;
    }
    const { name, waiting, active, paused } = data as QueueReport;
    return `${name} ${paused ? 'is paused' : 'is resumed'} on all machines: ${waiting} waiting, ${active} running`;
  },
});

async function ask(directory: string, request: object): Promise<unknown> {
  try {
    return await askMaster(directory, { command: 'jobs', request });
  } catch (error) {
    if (!/have no handler here/.test((error as Error).message)) throw error;
    throw new ClutchError('ERR_CLUTCH_CONTROL', 'the running app has no jobs', {
      fix: 'Turn plugin "jobs" on: `jobs: true` in config/plugin.',
      cause: error,
    });
  }
}

function format(queues: QueueReport[]): string {
  if (queues.length === 0) return 'there are no jobs: app/job is empty';
  const head = ['name', 'waiting', 'active', 'delayed', 'failed', 'completed', ''];
  const rows = queues.map(({ name, waiting, active, delayed, failed, completed, paused }) => [
    name,
    ...[waiting, active, delayed, failed, completed].map(String),
    paused ? 'paused' : '',
  ]);
  const failed = queues.flatMap(({ name, failedJobs }) =>
    failedJobs.map(({ id, error, at, attempts }) => [
      id,
      name,
      dateTime(Date.parse(at)),
      String(attempts),
      error.split('\n')[0] as string,
    ]),
  );
  const text = table([head, ...rows]);
  if (failed.length === 0) return text;
  return [text, '', table([['failed', 'name', 'at', 'attempts', 'error'], ...failed])].join('\n');
}
