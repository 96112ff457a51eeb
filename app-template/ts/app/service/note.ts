import { Service } from 'koa-clutch';
import type { NewNote, Note } from '../contract/note.ts';

const COLUMNS = 'id, author, text, created_at AS createdAt';

export default class NoteService extends Service {
  /** @returns the newest notes, the newest first */
  list(limit: number): Note[] {
    return this.app.sqlite.all<Note>(`SELECT ${COLUMNS} FROM notes ORDER BY id DESC LIMIT ?`, limit);
  }

  create({ author, text }: NewNote): Note {
    const createdAt = new Date().toISOString();
    const { id } = this.app.sqlite.run(
      'INSERT INTO notes (author, text, created_at) VALUES (?, ?, ?)',
      author,
      text,
      createdAt,
    );
    const note = { id, author, text, createdAt };
    this.app.messenger.sendToAgent('note.changed', { event: 'created', data: note });
    return note;
  }

  /** @returns whether there was such a note */
  remove(id: number): boolean {
    const { changes } = this.app.sqlite.run('DELETE FROM notes WHERE id = ?', id);
    if (changes > 0) this.app.messenger.sendToAgent('note.changed', { event: 'removed', data: { id } });
    return changes > 0;
  }

  /** @returns how many were removed */
  removeOlderThan(days: number): number {
    const oldest = new Date(Date.now() - days * 24 * 60 * 60 * 1000).toISOString();
    const old = this.app.sqlite.all<{ id: number }>('SELECT id FROM notes WHERE created_at < ?', oldest);
    return old.filter(({ id }) => this.remove(id)).length;
  }
}
