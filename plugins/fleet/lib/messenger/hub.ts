import { randomUUID } from 'node:crypto';
import { ClutchError, toError } from '../../../../errors.js';
import { describeError, reviveError } from '../../../../ipc/error_data.js';
import type { FleetAdapter } from '../adapter/adapter.js';
import { Sequences } from './sequences.js';
import { Takeover } from './takeover.js';
import {
  type FleetRequest,
  type HandledRequest,
  type LocalPacket,
  type Outgoing,
  type Packet,
  type Side,
  TAKEOVER,
  type TakeoverNotice,
  type Undelivered,
  type WireMessage,
} from './wire.js';

/** Characters of one packet at most; a NATS server takes a mebibyte. */
const PACKET_SIZE = 256 * 1024;

/** What the Agent does with messages for its machine. */
interface Local {
  /** For the Agent itself. */
  toAgent(messages: WireMessage[]): void;
  toApps(packet: LocalPacket): void;
  toOneApp(message: WireMessage): void;
  /** A request for the Agent or for one app worker. */
  handle(side: 'app' | 'agent', request: HandledRequest): Promise<unknown>;
}

export interface HubOptions {
  member: string;
  incarnation: string;
  /** Milliseconds that messages wait for a connection. */
  timeout: number;
  local: Local;
  /** @returns names of the machines that have such a process; with `now` the list is read anew, unless it has just been */
  members(side: Side, now?: 'now'): Promise<string[]>;
  /** This Agent, and no other one of its machine, takes requests from now on. */
  onActive(): void;
  onReplaced(): void;
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
  readonly #arrived = new Sequences();
  readonly takeover: Takeover;
  /** Requests of other machines that a handler works on. */
  #running = 0;
  /** Resolves when no request is under way. */
  #onIdle: (() => void) | undefined;
  /** Batches leave one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #connectionWaiters: (() => void)[] = [];
  /** Packets of other machines that were lost on the way. */
  missed = 0;

  constructor(adapter: FleetAdapter, options: HubOptions) {
    this.#adapter = adapter;
    this.#options = options;
    const own = subjectOf(options.member);
    const { incarnation, timeout, onActive, onReplaced, onError } = options;
    this.takeover = new Takeover({
      incarnation,
      timeout,
      onActive,
      onReplaced,
      notify: (data) => {
        const text = JSON.stringify({ to: 'agent', action: TAKEOVER, data } satisfies WireMessage);
        this.publish([{ to: 'agent', member: options.member, text }]).catch(onError);
      },
      handled: () => this.#arrived.beginningWith(own),
      deliver: (message) => this.#deliver({ messages: [message] }),
      onDropped: (count) =>
        onError(
          new ClutchError(
            'ERR_CLUTCH_FLEET',
            `${count} requests or messages for one process are dropped: the Agent before this one has not said whether it has handled them`,
          ),
        ),
    });
    for (const subject of ['all', own]) {
      adapter.subscribe(subject, (payload) => this.#receive(subject, payload));
    }
  }

  /** The connection is there. */
  connected(): void {
    for (const resolve of this.#connectionWaiters.splice(0)) resolve();
  }

  /**
   * @returns those that have no receiver; the others have left
   * @throws {ClutchError} ERR_CLUTCH_FLEET when they may be lost
   */
  publish(batch: Outgoing[]): Promise<Undelivered[]> {
    const published = this.#last.then(() => this.#publish(batch));
    this.#last = published.catch(() => undefined);
    return published;
  }

  async #publish(batch: Outgoing[]): Promise<Undelivered[]> {
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
    const undelivered: Undelivered[] = [];
    for (const [index, message] of batch.entries()) {
      const { text } = message;
      let target: string;
      try {
        target = await this.#targetOf(message);
      } catch (error) {
        undelivered.push({ index, reason: toError(error).message });
        continue;
      }
      if (target !== subject || size + text.length > PACKET_SIZE) send();
      subject = target;
      texts.push(text);
      size += text.length;
    }
    send();
    await Promise.all(sent);
    return undelivered;
  }

  /** @throws {ClutchError} ERR_CLUTCH_FLEET if there is no such machine */
  async #targetOf({ to, member, checked }: Outgoing): Promise<string> {
    if (member === undefined) return 'all';
    if (member === '*') return subjectOf(await this.#pick(to));
    if (checked) await this.#assertKnown(member);
    return subjectOf(member);
  }

  /** @throws {ClutchError} ERR_CLUTCH_FLEET with the machines that there are */
  async #assertKnown(member: string): Promise<void> {
    const { members } = this.#options;
    if (member === this.#options.member || (await members('all')).includes(member)) return;
    // It may have joined a moment ago.
    const known = await members('all', 'now');
    if (known.includes(member)) return;
    throw new ClutchError('ERR_CLUTCH_FLEET', `no machine of the fleet is called "${member}"`, {
      fix: `There are: ${known.join(', ')}.`,
    });
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
  async request({ target, action, data, timeout, carrier }: FleetRequest): Promise<unknown> {
    const to = target === 'app' ? 'app' : 'agent';
    const isSide = target === 'app' || target === 'agent';
    const member = isSide ? await this.#pick(to) : target;
    if (!isSide) await this.#assertKnown(member);
    const id = `${this.#options.member}|${randomUUID()}`;
    const text = JSON.stringify({ to, one: true, action, data, ...(carrier && { carrier }), id } satisfies WireMessage);
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
    this.publish([{ to, member, text }]).catch((error: Error) => this.#take(id)?.reject(error));
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
    const { incarnation, seq } = packet;
    const origin = { stream: `${subject}|${incarnation}`, seq };
    const lost = this.#arrived.note(origin.stream, seq);
    if (lost === undefined) return;
    this.missed += lost;
    const messages = packet.messages.filter(
      (message) => !isExclusive(message) || this.takeover.takes({ message, ...origin }),
    );
    this.#deliver({ messages, origin });
  }

  #deliver({ messages, origin }: LocalPacket): void {
    const { local } = this.#options;
    const plain = messages.filter(({ id, action }) => id === undefined && action !== TAKEOVER);
    const forAgent = plain.filter(({ to }) => to !== 'app');
    const forApps = plain.filter(({ to, one }) => to !== 'agent' && !one);
    if (forAgent.length > 0) local.toAgent(forAgent);
    if (forApps.length > 0) local.toApps({ messages: forApps, ...(origin && { origin }) });
    for (const message of plain) if (message.to === 'app' && message.one) local.toOneApp(message);
    for (const message of messages) {
      if (message.action === TAKEOVER) this.takeover.receive(message.data as TakeoverNotice);
      else if (message.reply) this.#settle(message);
      else if (message.id !== undefined) void this.#reply(message.id, message);
    }
  }

  #settle({ id = '', data, error }: WireMessage): void {
    const pending = this.#take(id);
    if (error) pending?.reject(reviveError(error));
    else pending?.resolve(data);
    this.#checkIdle();
  }

  async #reply(id: string, { to, ...request }: WireMessage): Promise<void> {
    const { action } = request;
    const reply: WireMessage = { to: 'agent', action, id, reply: true };
    this.#running += 1;
    try {
      reply.data = await this.#options.local.handle(to === 'app' ? 'app' : 'agent', request);
    } catch (error) {
      reply.error = describeError(error);
    }
    const member = id.slice(0, id.lastIndexOf('|'));
    await this.publish([{ to: 'agent', member, text: JSON.stringify(reply) }]).catch(this.#options.onError);
    this.#running -= 1;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#pending.size + this.#running === 0) this.#onIdle?.();
  }

  /** Hands over to the Agent after this one, if there is one, and waits for requests that are under way, for `timeout` at most. */
  async leave(): Promise<void> {
    if (!this.#adapter.connected) return;
    this.takeover.close();
    await this.#last;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.timeout);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#checkIdle();
    });
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new ClutchError('ERR_CLUTCH_FLEET', 'the fleet was left before the reply came'));
    }
  }
}

/** Whether only one process may get it. */
function isExclusive({ one, id, reply }: WireMessage): boolean {
  return one === true || (id !== undefined && !reply);
}

/** Names of machines may hold dots, which part a subject of NATS. */
function subjectOf(member: string): string {
  return `member.${Buffer.from(member).toString('hex')}`;
}
