import { Service } from 'koa-clutch';

export interface User {
  id: string;
  name: string;
}

const users: User[] = [
  { id: '1', name: 'Ada' },
  { id: '2', name: 'Grace' },
];

export default class UserService extends Service {
  async find(id: string): Promise<User | undefined> {
    return users.find((user) => user.id === id);
  }
}
