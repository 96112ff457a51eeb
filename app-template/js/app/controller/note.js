import { Controller } from 'koa-clutch';

/** The API under /api/notes; GET /openapi describes it. */
export default class NoteController extends Controller {
  async list(ctx) {
    ctx.body = ctx.service.note.list(ctx.valid.query.limit);
  }

  async create(ctx) {
    ctx.status = 201;
    ctx.body = ctx.service.note.create(ctx.valid.body);
  }

  async remove(ctx) {
    if (!ctx.service.note.remove(ctx.valid.params.id)) ctx.throw(404, 'there is no such note');
    ctx.status = 204;
  }
}
