import type { Ending } from '../supervise/managed_child.js';

/** Milliseconds in which a second signal is taken for the first one again: a terminal and npm both pass it on. */
const ECHO = 500;

interface SignalParts {
  /** Who gets them, for the records of deaths. */
  receiver?: string;
  log: Pick<Console, 'info'>;
  operations: { reload(options: { asker: string }): Promise<void> };
  shutdown: { end(code: number, ending: Ending): void; force(reason: string): void };
}

/** Has the signals of the Master close or reload the cluster; a second one while it closes kills all processes. */
export function listenToSignals({ receiver = 'the Master', log, operations, shutdown }: SignalParts): void {
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      if (first === undefined) {
        first = Date.now();
        log.info(`received ${signal}, closing`);
        shutdown.end(0, { reason: 'stop', text: 'the cluster was stopped', asker: `${signal} to ${receiver}` });
      } else if (Date.now() - first > ECHO) {
        shutdown.force(`received ${signal} while closing`);
      }
    });
  }
  process.on('SIGHUP', () => {
    log.info('received SIGHUP, reloading');
    // The outcome is logged by reload itself.
    operations.reload({ asker: `SIGHUP to ${receiver}` }).catch(() => undefined);
  });
}
