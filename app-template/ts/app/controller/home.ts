import { type ContextOf, Controller } from 'koa-clutch';
import type { createNote } from '../contract/note.ts';
import { addPage } from '../live.ts';

/** The page: a form, and the notes that change as others write. */
export default class HomeController extends Controller {
  async index(): Promise<void> {
    const { ctx } = this;
    await ctx.render('home', {
      notes: ctx.service.note.list(20),
      author: ctx.session.author ?? '',
      messages: ctx.flash('info'),
    });
  }

  async create(ctx: ContextOf<typeof createNote>): Promise<void> {
    ctx.service.note.create(ctx.valid.body);
    // Fills in the form the next time.
    ctx.session.author = ctx.valid.body.author;
    ctx.flash('info', 'Your note is saved.');
    ctx.redirect('/');
  }

  async live(): Promise<void> {
    addPage(this.ctx.sse());
  }
}
