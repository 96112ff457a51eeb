import { maskText } from '../../output/secrets.js';
import type { DeathRegister } from '../deaths/death_register.js';
import { overdueSentence } from '../protocol/overdue.js';
import type { OverdueRequests } from '../protocol/protocol.js';
import { NOT_SPAWNED } from '../spawn/child_handle.js';
import type { Ending, ManagedChild } from '../supervise/managed_child.js';
import type { RollingRestart } from '../supervise/rolling_restart.js';
import { captureStack } from '../supervise/stack_capture.js';
import type { Supervisor } from '../supervise/supervisor.js';
import { Watchdog, type WatchdogLimits } from '../supervise/watchdog.js';

type Log = Pick<Console, 'error'>;

interface WatchdogParts {
  /** May change while it runs. */
  limits: Readonly<WatchdogLimits>;
  isThread: boolean;
  /** Whether the children are debugged. */
  isInspected: boolean;
  log: Log;
  agents: Supervisor;
  workers: Supervisor;
  restarts: RollingRestart;
  /** Whether a worker that is over a limit may be replaced now. */
  isReady(): boolean;
  deaths: DeathRegister;
  /** Called at each heartbeat of a cluster that is ready. */
  onReadyTick(): void;
}

/** @returns the watchdog of a cluster: it kills what is blocked, and has workers replaced that are over a limit */
export function createWatchdog(parts: WatchdogParts): Watchdog {
  const { limits, isThread, isInspected, log, agents, workers, restarts, isReady, deaths, onReadyTick } = parts;
  return new Watchdog(limits, () => [...agents.all, ...workers.all], {
    isInspected,
    onHang: (child, silent) => void killHung(log, child, { silent, isThread }),
    mayReplace: isReady,
    onLimit: (worker, ending) => restarts.recycle(worker, ending),
    onHardLimit: (worker, ending) => {
      worker.killFor(ending);
      worker.handle.kill();
    },
    onTick: () => {
      deaths.tick();
      if (!isReady()) return;
      agents.fillGaps();
      workers.fillGaps();
      onReadyTick();
    },
  });
}

/**
 * Logs that a child has died or is leaving, why, and when it is replaced.
 *
 * @param delay milliseconds until then
 */
export function logDeath(log: Log, { kind, id, state, slot }: ManagedChild, reason: string, delay: number): void {
  const name = kind === 'agent' ? 'Agent' : kind;
  const verb = state === 'draining' ? 'is leaving' : 'died';
  const what = id === NOT_SPAWNED ? `an ${name} could not be forked` : `${name} ${id} ${verb}`;
  log.error(`${what} and is replaced ${delay === 0 ? 'at once' : `in ${delay} ms`}: ${reason}`);
  if (delay > 0) log.error(`${name} slot ${slot.index} is backing off: its processes crash soon after they start`);
}

/**
 * Kills a child whose event loop is blocked, and logs where.
 *
 * @param silent milliseconds since its last heartbeat
 * @param isThread the stack of a thread cannot be captured
 */
async function killHung(
  log: Log,
  child: ManagedChild,
  { silent, isThread }: { silent: number; isThread: boolean },
): Promise<void> {
  const { id, handle } = child;
  log.error(`pid ${id} sent no heartbeat for ${silent} ms: it is killed and replaced`);
  if (!isThread) {
    const stack = await captureStack(id);
    child.stack = stack && maskText(stack);
    log.error(stack ? `pid ${id} was blocked here:\n${stack}` : `no stack could be captured from pid ${id}`);
  }
  handle.kill();
}

/** @returns why a worker is replaced that does not respond in time; it remembers the requests */
export function overdueEnding(worker: ManagedChild, overdue: OverdueRequests): Ending {
  worker.overdue = overdue;
  return { reason: 'request-timeout', text: overdueSentence(overdue) };
}
