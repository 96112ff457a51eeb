import { randomUUID } from 'node:crypto';
import { ClutchError } from '../../../../errors.js';
import { describeError, reviveError } from '../../../../ipc/error_data.js';
import type { FleetAdapter } from '../adapter/adapter.js';
import type { FleetRequest, Outgoing, Packet, Side, WireMessage } from './wire.js';

/** Characters of one packet at most; a NATS server takes a mebibyte. */
const PACKET_SIZE = 256 * 1024;

/** What the Agent does with messages for its machine. */
interface Local {
  /** For the Agent itself. */
  toAgent(messages: WireMessage[]): void;
  toApps(messages: WireMessage[]): void;
  toOneApp(message: WireMessage): void;
  /** A request for the Agent or for one app worker. */
  handle(side: 'app' | 'agent', action: string, data: unknown): Promise<unknown>;
}

export interface HubOptions {
  member: string;
  incarnation: string;
  /** Milliseconds that messages wait for a connection. */
  timeout: number;
  local: Local;
  /** @returns names of the machines that have such a process */
  members(side: Side): Promise<string[]>;
  onError(error: Error): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** The one place of a machine where messages leave and arrive: in the Agent. */
export class Hub {
  readonly #adapter: FleetAdapter;
  readonly #options: HubOptions;
  readonly #pending = new Map<string, Pending>();
  /** Packets sent, by subject. */
  readonly #sequence = new Map<string, number>();
  /** The last packet of each Agent, by subject. */
  readonly #seen = new Map<string, { incarnation: string; seq: number }>();
  /** Batches leave one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #connectionWaiters: (() => void)[] = [];
  /** Packets of other machines that were lost on the way. */
  missed = 0;

  constructor(adapter: FleetAdapter, options: HubOptions) {
    this.#adapter = adapter;
    this.#options = options;
    for (const subject of ['all', subjectOf(options.member)]) {
      adapter.subscribe(subject, (payload) => this.#receive(subject, payload));
    }
  }

  /** The connection is there. */
  connected(): void {
    for (const resolve of this.#connectionWaiters.splice(0)) resolve();
  }

  /** @throws {ClutchError} ERR_CLUTCH_FLEET when they may be lost */
  publish(batch: Outgoing[]): Promise<void> {
    const published = this.#last.then(() => this.#publish(batch));
    this.#last = published.catch(() => undefined);
    return published;
  }

  async #publish(batch: Outgoing[]): Promise<void> {
    await this.#connection();
    let subject = '';
    let texts: string[] = [];
    let size = 0;
    const sent: Promise<void>[] = [];
    const send = (): void => {
      if (texts.length > 0) sent.push(this.#adapter.publish(subject, [this.#packet(subject, texts)]));
      texts = [];
      size = 0;
    };
    for (const { to, member, text } of batch) {
      const target = member === undefined ? 'all' : subjectOf(member === '*' ? await this.#pick(to) : member);
      if (target !== subject || size + text.length > PACKET_SIZE) send();
      subject = target;
      texts.push(text);
      size += text.length;
    }
    send();
    await Promise.all(sent);
  }

  #packet(subject: string, texts: string[]): string {
    const { member, incarnation } = this.#options;
    const seq = (this.#sequence.get(subject) ?? 0) + 1;
    this.#sequence.set(subject, seq);
    const head = JSON.stringify({ from: member, incarnation, seq });
    return `${head.slice(0, -1)},"messages":[${texts.join(',')}]}`;
  }

  async #connection(): Promise<void> {
    if (this.#adapter.connected) return;
    const { timeout } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#connectionWaiters = this.#connectionWaiters.filter((waiter) => waiter !== connected);
        reject(new ClutchError('ERR_CLUTCH_FLEET', `there is no connection for ${timeout} ms`));
      }, timeout);
      const connected = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#connectionWaiters.push(connected);
    });
  }

  /** @throws {ClutchError} ERR_CLUTCH_FLEET */
  async #pick(side: Side): Promise<string> {
    const members = await this.#options.members(side);
    const picked = members[Math.floor(Math.random() * members.length)];
    if (picked === undefined)
      throw new ClutchError('ERR_CLUTCH_FLEET', `no machine of the fleet has an ${side} at the moment`);
    return picked;
  }

  /** @throws the error of the handler; ERR_CLUTCH_TIMEOUT, ERR_CLUTCH_FLEET */
  async request({ target, action, data, timeout }: FleetRequest): Promise<unknown> {
    const to = target === 'app' ? 'app' : 'agent';
    const known = await this.#options.members('all');
    const isSide = target === 'app' || target === 'agent';
    if (!isSide && !known.includes(target)) {
      throw new ClutchError('ERR_CLUTCH_FLEET', `no machine of the fleet is called "${target}"`, {
        fix: `There are: ${known.join(', ')}.`,
      });
    }
    const id = `${this.#options.member}|${randomUUID()}`;
    const text = JSON.stringify({ to, one: true, action, data, id } satisfies WireMessage);
    const reply = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(
          new ClutchError('ERR_CLUTCH_TIMEOUT', `request "${action}" got no reply within ${timeout} ms`, {
            where: `sent to ${target} of the fleet`,
            fix: 'Give a longer timeout, or find out what its handler waits for.',
          }),
        );
      }, timeout);
      this.#pending.set(id, { resolve, reject, timer });
    });
    this.publish([{ to, member: isSide ? '*' : target, text }]).catch((error: Error) => this.#take(id)?.reject(error));
    return reply;
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }

  #receive(subject: string, payload: string): void {
    let packet: Packet;
    try {
      packet = JSON.parse(payload) as Packet;
    } catch (error) {
      this.#options.onError(new ClutchError('ERR_CLUTCH_FLEET', 'a packet cannot be read', { cause: error }));
      return;
    }
    this.#count(subject, packet);
    const { local } = this.#options;
    const { messages } = packet;
    const plain = messages.filter(({ id }) => id === undefined);
    const forAgent = plain.filter(({ to }) => to !== 'app');
    const forApps = plain.filter(({ to, one }) => to !== 'agent' && !one);
    if (forAgent.length > 0) local.toAgent(forAgent);
    if (forApps.length > 0) local.toApps(forApps);
    for (const message of plain) if (message.to === 'app' && message.one) local.toOneApp(message);
    for (const message of messages) {
      if (message.reply) this.#settle(message);
      else if (message.id !== undefined) void this.#reply(message.id, message);
    }
  }

  #count(subject: string, { from, incarnation, seq }: Packet): void {
    const key = `${subject}|${from}`;
    const last = this.#seen.get(key);
    if (last?.incarnation === incarnation && seq > last.seq + 1) this.missed += seq - last.seq - 1;
    this.#seen.set(key, { incarnation, seq });
  }

  #settle({ id = '', data, error }: WireMessage): void {
    const pending = this.#take(id);
    if (error) pending?.reject(reviveError(error));
    else pending?.resolve(data);
  }

  async #reply(id: string, { to, action, data }: WireMessage): Promise<void> {
    const reply: WireMessage = { to: 'agent', action, id, reply: true };
    try {
      reply.data = await this.#options.local.handle(to === 'app' ? 'app' : 'agent', action, data);
    } catch (error) {
      reply.error = describeError(error);
    }
    const member = id.slice(0, id.lastIndexOf('|'));
    await this.publish([{ to: 'agent', member, text: JSON.stringify(reply) }]).catch(this.#options.onError);
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new ClutchError('ERR_CLUTCH_FLEET', 'the fleet was left before the reply came'));
    }
  }
}

/** Names of machines may hold dots, which part a subject of NATS. */
function subjectOf(member: string): string {
  return `member.${Buffer.from(member).toString('hex')}`;
}
