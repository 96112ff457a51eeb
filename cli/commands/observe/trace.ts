import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoutesView, SlowRequest } from '../../../cluster/admin/page_data.js';
import { readDeaths } from '../../../cluster/deaths/death_file.js';
import { askMaster, type TakenProfile } from '../../../cluster/index.js';
import { toError } from '../../../errors.js';
import { dateTime } from '../../../output/timestamp.js';
import { defineCommand } from '../../command.js';
import { parseDuration } from '../../flags/duration.js';
import { dim, heading } from '../../terminal/style.js';
import { rounded } from '../../terminal/units.js';
import { printable } from '../../top/columns.js';
import { type CpuProfile, type CutProfile, cutProfile } from '../../trace/cut_profile.js';
import { frameDescriber } from '../../trace/describe_frame.js';
import { usageError } from '../../usage_error.js';

/** Milliseconds between two looks, which keep the recording on, and what the last report may take. */
const LOOK_INTERVAL = 2000;
const LAST_REPORT = 1500;
/** Milliseconds by which the clocks of a profile and of requests differ. */
const CLOCK_TOLERANCE = 20;
/** Milliseconds until the record of a death is written. */
const RECORD_LIMIT = 3000;
/** Stacks of a request, frames of a stack. */
const MOST_STACKS = 5;
const MOST_FRAMES = 8;

interface TracedRequest extends SlowRequest {
  cpu: CutProfile;
  /** Where its controller is, if it is known. */
  file?: string | undefined;
}

export const command = defineCommand({
  description: `Records an app worker for a while: which requests are slow, their timeline through middleware, controller, services, views, http client and
messages, and what ran on the CPU during each. A process that is busy records the timelines of some requests only. Urls are masked.`,
  arguments: [{ name: 'pid', help: 'of an app worker; of a thread, its id: see `clutch status`' }],
  options: {
    slow: { argument: 'time', help: 'from when on a request is slow; default 200ms' },
    for: { argument: 'time', help: 'how long to record; default 30s, at most 5m' },
  },
  examples: {
    'trace 4711': 'what took longer than 200 ms in half a minute',
    'trace 4711 --slow 50ms --for 10s': 'what took longer than 50 ms',
  },
  async run({ directory, args: [pid = ''], options }) {
    if (!/^\d{1,10}$/.test(pid)) throw usageError(`the pid is ${pid}`);
    const slow = parseDuration('slow', options.slow ?? '200ms', 'ms');
    const seconds = parseDuration('for', options.for ?? '30s', 's') / 1000;
    const look = async (): Promise<RoutesView> =>
      (await askMaster(directory, { command: 'view', name: 'routes' })) as RoutesView;
    await look();
    if (process.stderr.isTTY) console.error(dim(`recording pid ${pid} for ${seconds} s`));
    const recorded = await profileWhile(look, directory, { pid: Number(pid), seconds });
    await sleep(LAST_REPORT);
    const end = recorded.startedAt + (recorded.profile.endTime - recorded.profile.startTime) / 1000 + CLOCK_TOLERANCE;
    // Others came while the profile was begun, or after its end: it would say that they waited.
    const { slowest, routes } = await look();
    const requests = slowest.filter(
      ({ pid: by, took, at }) => by === Number(pid) && took >= slow && at >= recorded.startedAt && at + took <= end,
    );
    return requests.map((request) => ({
      ...request,
      file: routes.find(({ method, route }) => method === request.method && route === request.route)?.file,
      cpu: cpuOf(request, recorded, directory),
    }));
  },
  print: (requests, { options }) =>
    requests.length === 0
      ? `no request took ${options.slow ?? '200ms'} in ${options.for ?? '30s'}`
      : requests.map(format).join('\n\n'),
});

interface Recorded {
  profile: CpuProfile;
  startedAt: number;
}

/** Takes a CPU profile; if the process is killed meanwhile because it was blocked, the error says where. */
async function profileWhile(
  look: () => Promise<unknown>,
  directory: string,
  { pid, seconds }: { pid: number; seconds: number },
): Promise<Recorded> {
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_INTERVAL);
  const begin = Date.now();
  try {
    const request = { pid, kind: 'cpu' as const, seconds };
    const { file, startedAt } = (await askMaster(directory, { command: 'profile', request })) as TakenProfile;
    const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
    rmSync(file);
    return { profile, startedAt };
  } catch (error) {
    const stack = toError(error).message.includes('has ended') && (await stackOfDeath(directory, pid, begin));
    if (stack) console.error(`pid ${pid} was blocked here:\n${stack}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** @returns where a process that has just ended was blocked, once its record is written */
async function stackOfDeath(directory: string, pid: number, since: number): Promise<string | undefined> {
  for (const deadline = Date.now() + RECORD_LIMIT; Date.now() < deadline; await sleep(100)) {
    const death = readDeaths(directory).findLast((each) => each.pid === pid && Date.parse(each.at) >= since);
    if (death) return death.stack;
  }
  return undefined;
}

function cpuOf({ at, took }: SlowRequest, { profile, startedAt }: Recorded, directory: string): CutProfile {
  const from = at - startedAt;
  const describe = frameDescriber(realpathSync(directory));
  return cutProfile(profile, { from, to: from + took, most: MOST_STACKS, describe });
}

function format({ at, method, url, route, status, took, traceId, spans, cpu, file }: TracedRequest): string {
  const trace = traceId === undefined ? '' : `  trace ${traceId}`;
  const title = `${method} ${url}  ${status}  ${rounded(took)} ms`;
  const depths = spans.map(({ parent }, index) => {
    let depth = 0;
    for (let next = parent; next !== undefined && next < index; next = spans[next]?.parent) depth += 1;
    return depth;
  });
  const lines = spans.map(({ kind, name, start, took: time, error }, index) => {
    const duration = time === undefined ? 'not ended' : `${rounded(time)} ms`;
    const failed = error === undefined ? '' : `  ${error}`;
    return `  ${`${'  '.repeat(depths[index] as number)}${kind} ${name}`.padEnd(46)} ${duration.padStart(9)}  at ${rounded(start)} ms${failed}`;
  });
  return [
    heading(printable(title)),
    printable(`  ${route === undefined ? 'no route' : `route ${route}`}  at ${dateTime(at)}${trace}`),
    ...(lines.length > 0
      ? lines.map(printable)
      : [dim('  no timeline: the process is busy, or began to record later')]),
    `  meanwhile the process ran for ${rounded(cpu.busy)} ms${cpu.busy < took / 2 ? ', else it waited' : ''}`,
    ...cpu.stacks.flatMap(({ milliseconds, frames }) => [
      `    ${rounded(milliseconds).padStart(6)} ms  ${printable(frames[0] ?? '')}`,
      ...frames.slice(1, MOST_FRAMES).map((frame) => dim(`               ${printable(frame)}`)),
    ]),
    // It cannot be told apart from its caller in such a profile.
    ...(file !== undefined && cpu.stacks.length > 0 && !cpu.stacks.some(({ isOfApp }) => isOfApp)
      ? [printable(`  V8 has inlined the controller into its caller; it is in ${file}`)]
      : []),
  ].join('\n');
}
