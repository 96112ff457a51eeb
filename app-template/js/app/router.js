/** @param {import('koa-clutch').Application} app */
export default (app) => {
  app.get('/', 'home.index');
  app.get('/users/:id', 'home.user');
};
