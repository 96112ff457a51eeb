import { maskText } from '../../output/secrets.js';
import type { FleetView, ScheduleView } from './page_data.js';
import type { PageSource } from './page_source.js';

/** Milliseconds. */
const LIMIT = 3000;

/** What the schedule plugin reports of a schedule. */
interface ScheduleRow {
  name: string;
  type: string;
  when: string;
  disabled: boolean;
  /** Milliseconds since the epoch. */
  next?: number;
  history: { at: number; rt: number; success: boolean; worker?: number; message: string }[];
}

type QueueRow = ScheduleView['queues'][number];

/** What the fleet plugin reports. */
interface FleetRow {
  name: string;
  member: string;
  members: {
    id: string;
    state: string;
    version: string;
    host: string;
    pid?: number;
    workers: string[];
    load: number;
    since: number;
  }[];
}

export async function scheduleView(source: PageSource): Promise<ScheduleView> {
  const [schedules = [], queues = []] = await Promise.all([
    askAgent<ScheduleRow[]>(source, 'clutch-schedule', { command: 'list' }),
    askAgent<QueueRow[]>(source, 'clutch-jobs', { command: 'list' }),
  ]);
  return {
    schedules: schedules.map(({ name, type, when, disabled, next, history }) => ({
      key: name,
      type,
      when,
      disabled,
      ...(next === undefined ? {} : { next: iso(next) }),
      history: history.map(({ at, rt, success, worker, message }) => ({
        at: iso(at),
        took: rt,
        ok: success,
        ...(success ? {} : { error: maskText(message) }),
        ...(worker === undefined ? {} : { pid: worker }),
      })),
    })),
    queues: Array.isArray(queues) ? queues : [],
  };
}

export async function fleetView(source: PageSource): Promise<FleetView> {
  const report = await askAgent<FleetRow>(source, 'clutch-fleet', { command: 'status' });
  if (!report) return { members: [] };
  const { name, member, members } = report;
  return {
    name,
    self: member,
    members: members.map(({ id, state, version, host, pid = 0, workers, load, since }) => ({
      id,
      state,
      version,
      host,
      pid,
      workers: workers.length,
      load,
      since: iso(since),
    })),
  };
}

/** @returns undefined when the plugin is off, or there is no Agent at the moment */
async function askAgent<Reply>({ cluster }: PageSource, action: string, question: object): Promise<Reply | undefined> {
  try {
    return (await cluster.messenger.request('agent', action, question, { timeout: LIMIT })) as Reply;
  } catch {
    return undefined;
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
