import { createNote, listNotes, removeNote } from './contract/note.js';

/** @param {import('koa-clutch').Application} app */
export default (app) => {
  app.get('/', 'home.index');
  app.post('/notes', createNote, 'home.create');
  app.get('/live', 'home.live');

  app.get('/api/notes', listNotes, 'note.list');
  app.post('/api/notes', createNote, 'note.create');
  app.delete('/api/notes/:id', removeNote, 'note.remove');
};
