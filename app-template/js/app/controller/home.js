import { Controller } from 'koa-clutch';

import { addPage } from '../live.js';

/** The page: a form, and the notes that change as others write. */
export default class HomeController extends Controller {
  async index() {
    const { ctx } = this;
    await ctx.render('home', {
      notes: ctx.service.note.list(20),
      author: ctx.session.author ?? '',
      messages: ctx.flash('info'),
    });
  }

  async create(ctx) {
    ctx.service.note.create(ctx.valid.body);
    // Fills in the form the next time.
    ctx.session.author = ctx.valid.body.author;
    ctx.flash('info', 'Your note is saved.');
    ctx.redirect('/');
  }

  async live() {
    addPage(this.ctx.sse());
  }
}
