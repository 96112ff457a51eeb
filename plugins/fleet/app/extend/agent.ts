import { createRequire } from 'node:module';
import type { Agent } from '../../../../framework/index.js';
import type { Fleet } from '../../lib/fleet.js';

const require = createRequire(import.meta.url);
const FLEET = Symbol('agent.fleet');

type Host = Agent & { [FLEET]?: Fleet };

export default {
  get fleet(): Fleet {
    const agent = this as unknown as Host;
    if (!agent[FLEET]) {
      // Most apps have one machine: the code is loaded where the plugin is on.
      const { createFleet } = require('../../lazy/fleet.js') as typeof import('../../lazy/fleet.js');
      agent[FLEET] = createFleet(agent);
    }
    return agent[FLEET];
  },
};
