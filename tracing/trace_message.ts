import { channels, currentContext, trace } from './channels.js';
import type { Carrier, MessageTrace } from './payloads.js';
import { isRecorded, recording } from './recording.js';

export type Sent = Pick<MessageTrace, 'kind' | 'name' | 'peer'>;
type Received = Sent & { carrier: Carrier | undefined };

function isTraced(): boolean {
  return channels.message.hasSubscribers || (recording.open !== undefined && isRecorded(currentContext()));
}

/** Traces what goes to another process. @param send gets what to send along, if a subscriber has added anything */
export function traceSend<R>(what: () => Sent, send: (carrier?: Carrier) => R): R {
  if (!isTraced()) return send();
  const payload: MessageTrace = { direction: 'out', ...what(), ctx: currentContext(), carrier: {} };
  return trace('message', payload, () => send(Object.keys(payload.carrier).length > 0 ? payload.carrier : undefined));
}

/** Traces what is done with what has come. */
export function traceReceive<R>(what: () => Received, receive: () => R): R {
  if (!isTraced()) return receive();
  const { carrier = {}, ...received } = what();
  return trace('message', { direction: 'in', ...received, ctx: currentContext(), carrier }, receive);
}
