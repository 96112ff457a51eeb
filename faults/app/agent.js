import { ClockClient } from './clock_client.js';

export default (agent) => {
  agent.clock = agent.cluster(ClockClient).create();
  agent.messenger.on('block', (duration) => {
    const end = Date.now() + duration;
    while (Date.now() < end);
  });
};
