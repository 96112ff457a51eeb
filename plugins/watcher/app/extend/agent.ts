import type { Agent } from '../../../../framework/index.js';
import { Watcher } from '../../client/watcher.js';

const WATCHER = Symbol('watcher');

export default {
  get watcher(): Watcher {
    const own = this as unknown as Agent & { [WATCHER]?: Watcher };
    return (own[WATCHER] ??= new Watcher(own));
  },
};
