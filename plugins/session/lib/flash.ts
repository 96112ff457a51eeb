import type { Session } from './session.js';

type Messages = Record<string, unknown[]>;

/** Keeps a message until somebody reads it, in this request or a later one. */
export function addFlash(session: Session, type: string, message: unknown): void {
  // A type may come from a request; this one would be lost, or worse, where the messages are copied.
  if (type === '__proto__') return;
  const messages = messagesOf(session);
  session['flash'] = { ...messages, [type]: [...(messages[type] ?? []), message] };
}

/** @returns the messages of one type, which are gone then */
export function takeFlash(session: Session, type: string): unknown[] {
  const { [type]: taken = [], ...rest } = messagesOf(session);
  if (Object.keys(rest).length > 0) session['flash'] = rest;
  else delete session['flash'];
  return taken;
}

/** @returns all messages by type, which are gone then */
export function takeAllFlash(session: Session): Messages {
  const messages = messagesOf(session);
  delete session['flash'];
  return { ...messages };
}

/** A type may come from a request: nothing is found on a prototype. */
function messagesOf(session: Session): Messages {
  return Object.assign(Object.create(null), session['flash']);
}
