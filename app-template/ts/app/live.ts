import type { EventStream } from 'koa-clutch';
import type { NoteAnnouncement } from './messages.ts';

/** One stream for each page that is open and connected to this worker. */
const streams = new Set<EventStream>();

export function addPage(stream: EventStream): void {
  streams.add(stream);
  stream.once('close', () => streams.delete(stream));
}

export function sendToPages(announcement: NoteAnnouncement): void {
  for (const stream of streams) stream.send(announcement);
}
