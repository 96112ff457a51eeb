import type { Operations } from './operations.js';
import type { Shutdown } from './shutdown.js';

/** Milliseconds in which a second signal is taken for the first one again: a terminal and npm both pass it on. */
const ECHO = 500;

interface SignalParts {
  log: Pick<Console, 'info'>;
  operations: Operations;
  shutdown: Shutdown;
}

/** Has the signals of the Master close or reload the cluster; a second one while it closes kills all processes. */
export function listenToSignals({ log, operations, shutdown }: SignalParts): void {
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      if (first === undefined) {
        first = Date.now();
        log.info(`received ${signal}, closing`);
        shutdown.end(0, { reason: 'stop', text: 'the cluster was stopped', asker: `${signal} to the Master` });
      } else if (Date.now() - first > ECHO) {
        shutdown.force(`received ${signal} while closing`);
      }
    });
  }
  process.on('SIGHUP', () => {
    log.info('received SIGHUP, reloading');
    // The outcome is logged by reload itself.
    operations.reload({ asker: 'SIGHUP to the Master' }).catch(() => undefined);
  });
}
