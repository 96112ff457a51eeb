import { Controller } from 'koa-clutch';
import { greetings } from '../greetings.ts';

export default class HomeController extends Controller {
  async index(): Promise<void> {
    this.ctx.body = { message: 'Hello from Clutch', greetings: [...greetings] };
  }

  async user(): Promise<void> {
    const user = await this.ctx.service.user.find(this.ctx.params.id);
    if (!user) this.ctx.throw(404, 'there is no such user');
    this.ctx.body = user;
  }
}
