import type { Note } from './contract/note.ts';

export type NoteChange = { event: 'created'; data: Note } | { event: 'removed'; data: { id: number } };

/** What browsers get, see `app/live.ts`. */
export type NoteAnnouncement = NoteChange & { id: string };

declare module 'koa-clutch' {
  interface IMessages {
    /** From an app worker to the Agent. */
    'note.changed': NoteChange;
    /** From the Agent to every app worker. */
    'note.announced': NoteAnnouncement;
  }
}
