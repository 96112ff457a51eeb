import type { ErrorData } from '../../../../ipc/error_data.js';
import type { Carrier } from '../../../../tracing/payloads.js';

/** Which processes of a machine get a message. */
export type Side = 'app' | 'agent' | 'all';

/** A message on its way from a process to the Agent of its machine. */
export interface Outgoing {
  to: Side;
  /** The only machine that gets it; `*` for any one. */
  member?: string;
  /** It is undelivered if there is no machine of that name. */
  checked?: true;
  /** A WireMessage as JSON. */
  text: string;
}

/** A message of a batch that has no receiver, while the others have left. */
export interface Undelivered {
  index: number;
  reason: string;
}

/** A message as it crosses between machines. */
export interface WireMessage {
  to: Side;
  /** Only one of the processes of `to` gets it. */
  one?: true;
  action: string;
  data?: unknown;
  /** What a tracer of the sender sends along. */
  carrier?: Carrier;
  /** Of a request, the name of its reply. */
  id?: string;
  /** A reply: its value is `data`. */
  reply?: true;
  error?: ErrorData;
}

/** What an Agent publishes at once. */
export interface Packet {
  from: string;
  /** Distinguishes one Agent of a machine from the next one. */
  incarnation: string;
  /** Counts the packets of this Agent on this subject, from 1: a gap means that packets were lost. */
  seq: number;
  messages: WireMessage[];
}

/** Action of what the Agents of one machine say to each other: a TakeoverNotice. */
export const TAKEOVER = 'clutch:takeover';

/**
 * From an Agent to the one with that `incarnation`: it is about to replace it, or is not after all, or does so now. Then the reply with its own
 * incarnation, and the last packet of each stream that it has handled.
 */
export type TakeoverNotice =
  | { kind: 'candidate' | 'withdraw' | 'take-over'; incarnation: string }
  | { kind: 'handed-over'; incarnation: string; handled: Record<string, number> };

/** What an Agent passes on to its app workers. */
export interface LocalPacket {
  messages: WireMessage[];
  /** Where they come from, if another Agent of the machine may pass them on as well. */
  origin?: { stream: string; seq: number };
}

/** Messages and requests between Agent and app workers of one machine; tracers make no spans of what begins with `clutch-`. */
export const LOCAL = {
  /** To the Agent: Outgoing[]; replied to with Undelivered[] when they have left. */
  publish: 'clutch-fleet:publish',
  /** To the Agent: a FleetRequest, replied to with the reply of the other machine. */
  request: 'clutch-fleet:request',
  /** To app workers: a LocalPacket. */
  messages: 'clutch-fleet:messages',
  /** To an app worker: a request of another machine. */
  handle: 'clutch-fleet:handle',
  /** To the Agent: what `clutch fleet` asks. */
  command: 'clutch-fleet',
} as const;

/** Where a request goes: an Agent of any machine, an app worker of any machine, or the Agent of the machine with this name. */
export type FleetTarget = 'agent' | 'app' | (string & {});

export interface FleetRequest {
  target: FleetTarget;
  action: string;
  data: unknown;
  timeout: number;
  carrier?: Carrier | undefined;
}

/** A request of another machine, on its way from the Agent to an app worker. */
export type HandledRequest = Pick<WireMessage, 'action' | 'data' | 'carrier'>;
