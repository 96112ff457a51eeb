import { bootChild, type ChildApplication, closeAndExit } from './child.js';

/** Exit code of an Agent whose Master has gone. */
const MASTER_GONE = 110;

void bootChild<ChildApplication>('Agent', (agent) => {
  let closing = false;
  const close = (code: number): void => {
    if (closing) return;
    closing = true;
    void closeAndExit(agent, code);
  };
  process.on('SIGTERM', () => close(0));
  process.on('disconnect', () => close(MASTER_GONE));
  process.send?.({ action: 'agent-start', to: 'master' }, undefined, {}, () => undefined);
});
