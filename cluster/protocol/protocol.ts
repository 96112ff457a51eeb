import type { LeaderInfo } from '../../ipc/socket_path.js';
import type { ChildOptions } from '../options/options.js';
import type { GcCounts } from './gc.js';
import type { RouteReport } from './route_report.js';

/** What a child needs before it may load code of the app. */
export interface PrepareData {
  /** URL of the framework's entry. */
  framework: string;
  /** Modules that are loaded first. */
  require: string[];
  /** Comes back with every message of the child's runtime; code of the app is loaded later and does not see it. */
  token: string;
}

/** What a child gets when it may construct its application. */
export interface BootData {
  options: ChildOptions & { clusterPort: number; leader: LeaderInfo };
  /** Milliseconds from SIGTERM until the Master kills the process. */
  closeTimeout: number;
  /** Milliseconds between two `stats`. */
  statsInterval: number;
}

/** What comes with a connection that the Master sends to a worker in sticky mode. */
export interface StickyConnection {
  sequence: number;
  /** Whether another worker may have read from it. */
  redispatched: boolean;
}

/** What a child reports at every heartbeat. */
export interface ProcessStats {
  /** Bytes. */
  rss: number;
  heapUsed: number;
  /** What the heap may use at most. */
  heapLimit: number;
  /** Milliseconds of processor time since the process began. */
  cpu: number;
  /** Share of the time since the last heartbeat in which the event loop was busy. */
  utilisation: number;
  /** Delay of the event loop since the last heartbeat, in milliseconds. */
  loopP50: number;
  loopP99: number;
  /** Zero in an Agent, like what follows. */
  inFlight: number;
  /** Web sockets and streams of events. */
  live: number;
  /** Open ones. */
  connections: number;
  requests: number;
  /** Responses with status 5xx. */
  errors: number;
  /** Lines that could not be written to logs, stdout and stderr. */
  lostLines: number;
  /** Messages for this process that it could not keep. */
  droppedMessages: number;
  /** The last lines that were written since the last heartbeat; absent if there are none. */
  lines?: string[];
  /** Requests that have ended since the last heartbeat; absent if there are none. */
  routes?: RouteReport;
  gc?: GcCounts;
}

/** What a worker counts of its requests. */
export interface RequestCounters
  extends Pick<ProcessStats, 'requests' | 'errors' | 'inFlight' | 'live' | 'connections'> {
  /** @returns what has changed since the last call */
  takeRoutes(): RouteReport | undefined;
}

/** How busy a worker is, as it reports with `scheduling: 'least'`. */
export interface WorkerLoad {
  /** Requests. */
  inFlight: number;
  /** How late its event loop is, in milliseconds. */
  loopDelay: number;
}

/** A request to which the app has not begun to respond. */
export interface PendingRequest {
  method: string;
  /** Secrets are masked. */
  url: string;
  /** The path of the route that matches, if the router came so far. */
  route?: string;
  /** Milliseconds. */
  age: number;
  /** Where it waits, innermost first, if it was traced. */
  stack?: string;
}

/** What a worker reports when requests take longer than `requestTimeout`. */
export interface OverdueRequests {
  /** How many there are; the first ones are named. */
  count: number;
  requests: PendingRequest[];
  /** What the process waits for: names that Node has for it, and how many of each. */
  resources: Record<string, number>;
}

/** @returns milliseconds between two heartbeats, which is also how often the Master checks them */
export function heartbeatInterval(hangTimeout: number): number {
  return hangTimeout === 0 ? 1000 : Math.min(1000, Math.max(20, Math.floor(hangTimeout / 4)));
}

/** Whether processes with these arguments can be debugged. Node counts the ports of the app workers up from the Master's. */
export function hasInspector(execArgv: string[]): boolean {
  return [...execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)].some((option) =>
    option.startsWith('--inspect'),
  );
}

/**
 * The port on which the inspector of a process listens when it is started, below those that systems give to clients (Linux:
 * from 32768 on). It may be in use; then the process has no inspector.
 */
export function inspectorPort(pid: number): number {
  return 10_000 + (pid % 20_000);
}
