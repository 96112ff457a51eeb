import { type ContextOf, Controller } from 'koa-clutch';
import type { createNote, listNotes, removeNote } from '../contract/note.ts';

/** The API under /api/notes; GET /openapi describes it. */
export default class NoteController extends Controller {
  async list(ctx: ContextOf<typeof listNotes>): Promise<void> {
    ctx.body = ctx.service.note.list(ctx.valid.query.limit);
  }

  async create(ctx: ContextOf<typeof createNote>): Promise<void> {
    ctx.status = 201;
    ctx.body = ctx.service.note.create(ctx.valid.body);
  }

  async remove(ctx: ContextOf<typeof removeNote>): Promise<void> {
    if (!ctx.service.note.remove(ctx.valid.params.id)) ctx.throw(404, 'there is no such note');
    ctx.status = 204;
  }
}
