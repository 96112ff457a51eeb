import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { contract } from 'koa-clutch';
import * as v from 'valibot';

const noteSchema = v.object({ id: v.number(), author: v.string(), text: v.string(), createdAt: v.string() });
const newNoteSchema = v.object({
  author: v.pipe(v.string(), v.minLength(1), v.maxLength(40)),
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(500)),
});

// toStandardJsonSchema lets a schema describe itself in the API document, GET /openapi.
const note = toStandardJsonSchema(noteSchema);
const newNote = toStandardJsonSchema(newNoteSchema);
const id = toStandardJsonSchema(v.object({ id: v.pipe(v.string(), v.digits(), v.toNumber()) }));
const page = toStandardJsonSchema(
  v.object({ limit: v.optional(v.pipe(v.string(), v.digits(), v.toNumber(), v.maxValue(100)), '20') }),
);

export const listNotes = contract({
  summary: 'The newest notes',
  query: page,
  response: { 200: toStandardJsonSchema(v.array(noteSchema)) },
});
export const createNote = contract({ summary: 'Writes a note', body: newNote, response: { 201: note } });
export const removeNote = contract({ summary: 'Removes a note', params: id });
