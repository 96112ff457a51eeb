import { ClutchError, toError } from '../../../../errors.js';
import type { Agent } from '../../../../framework/index.js';
import type { Bucket, BucketOptions } from '../adapter/adapter.js';
import type { FleetMessenger } from '../messenger/fleet_messenger.js';
import type { Ticks } from '../schedule/ticks.js';
import { configLeaves } from './config_leaves.js';
import { type MachineState, OwnMaster } from './master.js';
import { ReloadLock } from './reload_lock.js';

/** Requests that the Agents of a fleet send each other. */
const REQUEST = { state: 'clutch:machine', reload: 'clutch:reload-machine', config: 'clutch:config' } as const;

/** Milliseconds that a machine may take to reply. */
const REPLY_LIMIT = 4000;

/** What `clutch fleet` asks of the Agent of its machine. */
export type FleetCommand =
  | { command: 'status' | 'history' | 'config' }
  /** How one machine does. */
  | { command: 'machine'; member: string }
  /** Begins the reload of one machine, for the command that has the lease. */
  | { command: 'reload-machine'; member: string; nonce: string }
  /** Takes or renews the lease, and gives it back. */
  | { command: 'hold' | 'release'; nonce: string };

/** `agent.fleet`, as far as it takes part. */
interface OperatedFleet {
  readonly member: string;
  readonly lease: number;
  readonly messenger: FleetMessenger;
  bucket(options: BucketOptions): Bucket;
  members(): Promise<{ id: string }[]>;
  report(): Promise<object>;
}

/** What an operator does with all machines of the fleet. */
export class FleetOperations {
  readonly #fleet: OperatedFleet;
  readonly #lock: ReloadLock;

  constructor(agent: Agent, fleet: OperatedFleet) {
    this.#fleet = fleet;
    this.#lock = new ReloadLock(fleet.bucket({ name: 'leases', ttl: fleet.lease }));
    const { baseDir, config, loader } = agent;
    const master = new OwnMaster(baseDir);
    fleet.messenger
      .onRequest(REQUEST.state, () => master.state())
      .onRequest(REQUEST.reload, async (asked) => {
        const { nonce, by } = asked as { nonce: string; by: string };
        // The command may have been suspended meanwhile, and another one may be at work.
        await this.#lock.assertHolder(nonce);
        await master.reload(`machine ${by} of the fleet`);
      })
      .onRequest(REQUEST.config, (salt) =>
        configLeaves(config, { masker: loader.masker, salt: String(salt), baseDir }),
      );
  }

  async run(asked: FleetCommand): Promise<unknown> {
    const { member } = this.#fleet;
    switch (asked.command) {
      case 'status':
        return this.#fleet.report();
      case 'history':
        return this.#history();
      case 'config':
        return this.#configs();
      case 'machine':
        return this.#ask<MachineState>(asked.member, REQUEST.state);
      case 'reload-machine':
        return this.#ask(asked.member, REQUEST.reload, { nonce: asked.nonce, by: member });
      case 'hold':
        return this.#lock.hold({ member, nonce: asked.nonce });
      case 'release':
        return this.#lock.release(asked.nonce);
    }
  }

  #ask<T>(member: string, action: string, data?: unknown): Promise<T> {
    return this.#fleet.messenger.request(member, action, data, { timeout: REPLY_LIMIT }) as Promise<T>;
  }

  /** @returns the last runs of each schedule of type `fleet`, the last one first */
  async #history(): Promise<Record<string, Pick<Ticks, 'missed' | 'runs' | 'history'>>> {
    const entries = await this.#fleet.bucket({ name: 'schedules', ttl: 0 }).entries();
    return Object.fromEntries(
      entries.map(({ key, value }) => {
        const { missed, runs, history } = JSON.parse(value) as Ticks;
        return [key, { missed, runs, history }];
      }),
    );
  }

  /** @returns the config of each machine, or why it is not known */
  async #configs(): Promise<Record<string, { leaves?: Record<string, string>; error?: string }>> {
    const salt = process.getBuiltinModule('node:crypto').randomUUID();
    const members = await this.#fleet.members();
    if (members.length === 0) throw new ClutchError('ERR_CLUTCH_FLEET', 'no machine of the fleet is known');
    const replies = members.map(async ({ id }) => {
      try {
        return [id, { leaves: await this.#ask<Record<string, string>>(id, REQUEST.config, salt) }] as const;
      } catch (error) {
        return [id, { error: toError(error).message.split('\n')[0] }] as const;
      }
    });
    return Object.fromEntries(await Promise.all(replies));
  }
}
