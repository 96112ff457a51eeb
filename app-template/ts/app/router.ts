import type { Application } from 'koa-clutch';
import { createNote, listNotes, removeNote } from './contract/note.ts';

export default (app: Application): void => {
  app.get('/', 'home.index');
  app.post('/notes', createNote, 'home.create');
  app.get('/live', 'home.live');

  app.get('/api/notes', listNotes, 'note.list');
  app.post('/api/notes', createNote, 'note.create');
  app.delete('/api/notes/:id', removeNote, 'note.remove');
};
