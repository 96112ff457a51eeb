import { Service } from 'koa-clutch';

const users = [
  { id: '1', name: 'Ada' },
  { id: '2', name: 'Grace' },
];

export default class UserService extends Service {
  async find(id) {
    return users.find((user) => user.id === id);
  }
}
