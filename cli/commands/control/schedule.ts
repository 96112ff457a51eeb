import { askMaster } from '../../../cluster/index.js';
import { ClutchError } from '../../../errors.js';
import { parseArguments } from '../../arguments.js';
import { table } from '../../report.js';

const USAGE = `clutch schedule list [directory] [options]
clutch schedule run <name> [directory] [options]

Lists the schedules of a running app with their last runs, or runs one now and waits for its result.

      --json          print the data
      --args <json>   run: arguments of the task, a JSON array`;

/** One run that has ended, as the schedule plugin keeps it. */
interface PastRun {
  at: number;
  rt: number;
  success: boolean;
  worker?: number;
  message: string;
}

interface ScheduleReport {
  name: string;
  type: string;
  when: string;
  disabled: boolean;
  next?: number;
  running: boolean;
  history: PastRun[];
}

interface JobResult {
  success: boolean;
  workerId?: number;
  rt: number;
  message: string;
}

/** Shows and runs the schedules of a running app. */
export async function run([action, ...rest]: string[]): Promise<void> {
  if (action === 'list') await list(rest);
  else if (action === 'run') await runOne(rest);
  else if (action === '--help' || action === '-h') console.log(USAGE);
  else throw usageError(action === undefined ? 'there is nothing to do' : `there is no action "${action}"`);
}

function usageError(what: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_CLI', what, { fix: `Usage: ${USAGE}` });
}

async function list(args: string[]): Promise<void> {
  const { values, directory } = parseArguments(args, { json: { type: 'boolean' } }, USAGE);
  const request = { command: 'list' };
  const rows = (await askMaster(directory, { command: 'schedule', request })) as ScheduleReport[];
  console.log(values['json'] ? JSON.stringify(rows, null, 2) : format(rows));
}

function format(rows: ScheduleReport[]): string {
  if (rows.length === 0) return 'there are no schedules';
  const head = ['name', 'type', 'when', 'next', 'last run', 'took', 'result'];
  const cells = rows.map(({ name, type, when, disabled, next, running, history: [last] }) => [
    name,
    type,
    when,
    disabled ? 'disabled' : time(next),
    running ? 'running' : time(last?.at),
    last ? `${last.rt} ms` : '',
    last ? (last.success ? 'ok' : (last.message.split('\n')[0] as string)) : '',
  ]);
  return table([head, ...cells]);
}

function time(at: number | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

async function runOne([name, ...rest]: string[]): Promise<void> {
  if (name === undefined || name.startsWith('-')) throw usageError('the schedule is not named');
  const { values, directory } = parseArguments(rest, { json: { type: 'boolean' }, args: { type: 'string' } }, USAGE);
  const request = { command: 'run', name, args: parseTaskArguments(values['args'] as string | undefined) };
  const reply = (await askMaster(directory, { command: 'schedule', request })) as JobResult | JobResult[];
  const results = [reply].flat();
  if (values['json']) console.log(JSON.stringify(results, null, 2));
  else for (const each of results) console.log(sentence(name, each));
  if (results.some(({ success }) => !success)) process.exitCode = 1;
}

function parseTaskArguments(text = '[]'): unknown[] {
  try {
    const args: unknown = JSON.parse(text);
    if (Array.isArray(args)) return args;
  } catch {
    // Reported below, like JSON that is no array.
  }
  throw usageError(`--args is no JSON array: ${text}`);
}

function sentence(name: string, { success, workerId, rt, message }: JobResult): string {
  const where = workerId === undefined ? '' : ` in app worker ${workerId}`;
  return success ? `${name} succeeded in ${rt} ms${where}` : `${name} failed after ${rt} ms${where}: ${message}`;
}
