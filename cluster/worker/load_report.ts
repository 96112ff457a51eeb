import type { Server } from 'node:http';
import type { WorkerLoad } from '../protocol/protocol.js';
import type { RequestMeter } from './request_meter.js';

/**
 * Milliseconds from a change to its report. Until then the Master takes a short request for one that is still in flight, and a worker
 * with a long one looks no busier than the others (bench/scheduling.mjs).
 */
const DELAY = 2;

/** Reports how busy a worker is, soon after it has changed; the timer for it shows how late the event loop is. */
export function reportLoad(servers: Server[], meter: RequestMeter, report: (load: WorkerLoad) => void): void {
  let timer: NodeJS.Timeout | undefined;
  let due = 0;
  const send = (): void => {
    timer = undefined;
    report({ inFlight: meter.inFlight, loopDelay: Math.max(0, performance.now() - due) });
  };
  const onChange = (): void => {
    if (timer !== undefined) return;
    due = performance.now() + DELAY;
    timer = setTimeout(send, DELAY).unref();
  };
  meter.onChange = onChange;
  for (const server of servers) server.on('connection', onChange);
}
