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

/** What the fleet plugin reports. */
interface FleetRow {
  name: string;
  member: string;
  members: {
    id: string;
    state: string;
    version: string;
    host: string;
    pid: number;
    workers: string[];
    load: number;
    since: number;
  }[];
}

/** Asks the plugins in the Agent that have data of their own. */
export class AgentViews {
  readonly #source: PageSource;
  /** Of which Agent it is known what it does not reply to. */
  #agent: number | undefined;
  readonly #unknown = new Set<string>();

  constructor(source: PageSource) {
    this.#source = source;
  }

  async schedule(): Promise<ScheduleView> {
    const [schedules = [], queues = []] = await Promise.all([
      this.#ask<ScheduleRow[]>('clutch-schedule', { command: 'list' }),
      this.#ask<ScheduleView['queues']>('clutch-jobs', { command: 'list' }),
    ]);
    return { schedules: schedules.map(toSchedule), queues };
  }

  async fleet(): Promise<FleetView> {
    const report = await this.#ask<FleetRow>('clutch-fleet', { command: 'status' });
    if (!report) return { members: [] };
    return { name: report.name, self: report.member, members: report.members.map(toMember) };
  }

  /** @returns undefined when the plugin is off or does not reply, or there is no Agent at the moment */
  async #ask<Reply>(action: string, question: object): Promise<Reply | undefined> {
    const { cluster } = this.#source;
    const agent = cluster.status().processes.find(({ kind, state }) => kind === 'agent' && state === 'ready')?.pid;
    if (agent !== this.#agent) this.#unknown.clear();
    this.#agent = agent;
    if (agent === undefined || this.#unknown.has(action)) return undefined;
    try {
      return (await cluster.messenger.request('agent', action, question, { timeout: LIMIT })) as Reply;
    } catch (error) {
      if (/have no handler here/.test((error as Error).message)) this.#unknown.add(action);
      return undefined;
    }
  }
}

function toSchedule({ name, type, when, disabled, next, history }: ScheduleRow): ScheduleView['schedules'][number] {
  return {
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
  };
}

function toMember({ workers, since, ...member }: FleetRow['members'][number]): FleetView['members'][number] {
  const { id, state, version, host, pid, load } = member;
  return { id, state, version, host, pid, workers: workers.length, load, since: iso(since) };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
