import { existsSync } from 'node:fs';
import path from 'node:path';
import { inspectApp } from '../../../cluster/index.js';
import { dumpedLogDirectory, logFiles } from '../../../cluster/logs/log_files.js';
import { type LoggingKind, logFilter, type WantedEntries } from '../../../cluster/logs/log_filter.js';
import { LogFollower } from '../../../cluster/logs/log_follower.js';
import { LOG_LEVELS, type LogEntry, type LogLevel, toLogLine } from '../../../cluster/logs/log_line.js';
import { readLogs } from '../../../cluster/logs/read_logs.js';
import { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { daemonLogs } from '../../process/daemon.js';
import { followMaster, masterEntries } from '../../process/master_entries.js';
import { processKinds } from '../../process/process_kinds.js';
import { typeScriptExecArgv } from '../../process/typescript.js';
import { dim, failure, warning } from '../../terminal/style.js';
import { usageError } from '../../usage_error.js';

const KINDS: Record<string, LoggingKind> = { master: 'master', agent: 'agent', worker: 'app worker' };

export const command = defineCommand({
  description: `All logs of the app in the order of their times: \`*.log\` in config.logger.dir, and what the Master prints. Lines that follow an entry without
a time of their own, such as a stack, stay with it; what several logs have is printed once; JSON logs are understood.`,
  options: {
    follow: { short: 'f', help: 'print new entries as they come, until Ctrl-C' },
    lines: { short: 'n', argument: 'count', help: 'the last entries; default 50' },
    level: { argument: 'level', choices: ['debug', 'info', 'warn', 'error'], help: 'the least one' },
    process: { argument: 'pid', help: 'only of this process: a pid, or master, agent, worker' },
    trace: { argument: 'id', help: 'only of this request, by its trace id' },
    name: { argument: 'file', help: 'only this log, e.g. common-error' },
    json: { help: 'an object for each entry, one a line' },
  },
  endless: true,
  examples: {
    logs: 'the last 50 entries',
    'logs -f --level warn': 'warnings and errors, and those to come',
    'logs --process agent -n 200': 'of the Agent',
    'logs --trace 8f14e45f': 'of one request',
  },
  async run({ directory, options, json }) {
    const { follow, lines = '50', name } = options;
    if (!/^\d{1,6}$/.test(lines)) throw usageError(`--lines is no number: ${lines}`);
    const wanted = wantedEntries(options);
    const dir = await logDirectory(directory);
    const list = (): string[] => [
      ...new Set([...logFiles(dir, name), ...daemonLogs(directory).flatMap(existing(name))]),
    ];
    const masters = name === undefined ? await masterEntries(directory) : [];
    if (list().length === 0 && masters.length === 0) {
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', name ? `there is no log "${name}"` : 'there are no logs', {
        where: dir,
        fix: 'The app writes them as it runs; config.logger.dir says where.',
      });
    }
    const kinds = typeof wanted.process === 'string' ? await processKinds(directory) : new Map<number, LoggingKind>();
    const filter = logFilter(wanted, kinds);
    const print = (entries: LogEntry[]): void => {
      for (const entry of entries) console.log(json ? JSON.stringify(toLogLine(entry)) : coloured(entry));
    };
    const { entries, positions } = await readLogs(list(), { count: Number(lines), filter });
    const all = [...entries, ...masters.filter(filter)].sort((a, b) => a.time - b.time);
    print(lines === '0' ? [] : all.slice(-Number(lines)));
    if (wanted.trace !== undefined && entries.length === 0) console.error(dim(withoutTrace(wanted.trace)));
    if (!follow) return;
    new LogFollower({ list, positions, filter, onEntries: print });
    if (name === undefined) followMaster(directory, masters, (more) => print(more.filter(filter)));
    await new Promise(() => undefined);
  },
});

/** @returns what keeps a file if it is there and, when one is named, has that name */
function existing(name: string | undefined): (file: string) => string[] {
  return (file) => logFiles(path.dirname(file), name).filter((each) => each === file);
}

function wantedEntries({ level, process, trace }: { level?: string; process?: string; trace?: string }): WantedEntries {
  const isPid = process !== undefined && /^\d+$/.test(process);
  const kind = process === undefined || isPid ? undefined : KINDS[process];
  if (process !== undefined && !isPid && !kind) {
    throw usageError(`--process is no pid and none of ${Object.keys(KINDS).join(', ')}: ${process}`);
  }
  return {
    level: LOG_LEVELS.find((each) => each === level?.toUpperCase()) as LogLevel | undefined,
    process: isPid ? Number(process) : kind,
    trace,
  };
}

function withoutTrace(id: string): string {
  return `No entry has the trace id ${id}. Lines of a request have one when the app sets ctx.traceId or telemetry is on: docs/telemetry.md`;
}

/** On a terminal errors stand out, and stacks stand back. */
function coloured({ level, printed }: LogEntry): string {
  const colour = level === 'ERROR' ? failure : level === 'WARN' ? warning : undefined;
  const [first = '', ...rest] = printed.split('\n');
  return [colour ? colour(first) : first, ...rest.map(dim)].join('\n');
}

/** @returns where the app that ran last has its logs, else where its config puts them */
async function logDirectory(baseDir: string): Promise<string> {
  const dumped = dumpedLogDirectory(baseDir);
  if (dumped !== undefined && existsSync(dumped)) return dumped;
  const execArgv = typeScriptExecArgv(baseDir);
  const [row] = (await inspectApp({ baseDir, topic: 'config', key: 'logger.dir', execArgv })) as { value: string }[];
  return row?.value ?? path.join(baseDir, 'logs');
}
