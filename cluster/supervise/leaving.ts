import { debuglog } from 'node:util';
import type { ErrorData } from '../../ipc/error_data.js';
import type { Ending, ManagedChild } from './managed_child.js';

const debug = debuglog('clutch:cluster');

/** Milliseconds that a child gets to exit when its channel has closed: a process that is killed loses that first. */
const EXIT_GRACE = 100;

/**
 * Milliseconds until a child that got SIGTERM is replaced. Terminals and container runtimes signal all processes of a cluster: by
 * then the Master has its own signal and closes, workers first.
 */
const SIGNAL_GRACE = 200;

/** What becomes of a child that leaves without being asked. */
export interface LeavingListener {
  /** It drains by itself, or cannot be asked to. */
  onDraining(child: ManagedChild, ending: Ending): void;
  /** It waits until it is asked to drain. */
  onSignal(child: ManagedChild, ending: Ending): void;
}

/**
 * To be called when a child reports that it leaves.
 *
 * @param error the exception that it threw; undefined when it got SIGTERM from someone else
 */
export function childLeaves(child: ManagedChild, error: ErrorData | undefined, listener: LeavingListener): void {
  if (error === undefined) {
    const ending: Ending = { reason: 'signal', text: 'it got SIGTERM from outside' };
    setTimeout(() => listener.onSignal(child, ending), SIGNAL_GRACE);
    return;
  }
  if (child.state !== 'ready') return;
  child.failure = error;
  const { screen, message } = child.failure ?? {};
  listener.onDraining(child, { reason: 'exception', text: `uncaughtException: ${screen ?? message}` });
}

/** To be called when the channel of a child has closed. */
export function channelLost(child: ManagedChild, { onDraining }: Pick<LeavingListener, 'onDraining'>): void {
  if (child.state !== 'ready') return;
  debug('%s has lost its channel', child);
  const ending: Ending = { reason: 'channel', text: 'its channel to the Master closed' };
  const lost = setTimeout(() => onDraining(child, ending), EXIT_GRACE);
  child.handle.once('exit', () => clearTimeout(lost));
}
