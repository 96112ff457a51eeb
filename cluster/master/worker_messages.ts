import { CONTROL, type Envelope, isControl, type Message } from '../../ipc/message.js';
import type { SlowRequests } from '../metrics/slow_requests.js';
import type { OverdueRequests } from '../protocol/protocol.js';
import type { SlowRequest } from '../protocol/slow_request.js';
import type { Certificates } from '../service/certificates.js';
import type { Operations } from '../service/operations.js';
import type { SuspectRoutes } from '../service/suspect_routes.js';
import type { ManagedChild } from '../supervise/managed_child.js';
import type { Watchdog } from '../supervise/watchdog.js';
import { overdueEnding } from './incidents.js';
import type { Listening } from './listening.js';
import type { Relay } from './relay.js';

/** The parts of the Master that app workers send messages to. */
export interface Receivers {
  log: Pick<Console, 'warn'>;
  listening: Listening;
  watchdog: Watchdog;
  certificates: Certificates;
  relay: Relay;
  slowRequests: SlowRequests;
  suspects: SuspectRoutes;
}

/** Gives what a worker has sent to the part of the Master that it is for; messages of the app are relayed. */
export function receiveFromWorker(envelope: Envelope, worker: ManagedChild, receivers: Receivers): void {
  const { log, listening, watchdog, certificates, relay, slowRequests, suspects } = receivers;
  const { data } = envelope;
  switch (isControl(envelope) ? envelope.clutch : undefined) {
    case CONTROL.connectionTaken:
      listening.taken(data as number);
      break;
    case CONTROL.connectionRefused:
      listening.refused(data as number);
      break;
    case CONTROL.cut:
      worker.cutConnections = data as number;
      log.warn(`app worker ${worker.id} has cut ${data} connections: the time to drain was over`);
      break;
    case CONTROL.overdue:
      suspects.add(data as OverdueRequests);
      watchdog.replace(worker, overdueEnding(worker, data as OverdueRequests));
      break;
    case CONTROL.prepareSocket:
      void listening.prepared.prepare(data as string, worker.handle);
      break;
    case CONTROL.tlsFiles:
      certificates.watch(data as string[]);
      break;
    case CONTROL.tlsReloaded:
      certificates.reloaded(data as string | undefined);
      break;
    case CONTROL.slowRequests:
      slowRequests.add(worker.id, data as SlowRequest[]);
      break;
    default:
      relay.route(envelope, 'app', worker);
  }
}

/**
 * Reloads the app when the development plugin asks for it, which sends its messages to the Master.
 *
 * @param notify gets the event that says how it went, with the files that were saved, or the reason of a failure
 */
export function reloadForPlugin(
  { action, data }: Message,
  operations: Operations,
  notify: (event: string, detail?: unknown) => void,
): void {
  if (action !== 'reload-worker') return;
  // Egg's own plugin names no Agent.
  const { agent: concernsAgent, files } = (data ?? {}) as { agent?: unknown; files?: unknown };
  const agent = concernsAgent === true;
  // The outcome is logged by reload itself.
  operations.reload({ agent, asker: 'plugin development' }).then(
    () => notify('clutch:reloaded', files),
    (error: Error) => notify('clutch:reload-failed', error.message),
  );
}
