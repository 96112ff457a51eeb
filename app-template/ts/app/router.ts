import type { Application } from 'koa-clutch';

export default (app: Application): void => {
  app.get('/', 'home.index');
  app.get('/users/:id', 'home.user');
};
