import { askMaster } from '../../cluster/index.js';

/** What the fleet plugin in the Agent reports. */
export interface FleetReport {
  name: string;
  member: string;
  /** Milliseconds. */
  lease: number;
  connected: boolean;
  /** Why it is not connected. */
  problem?: string;
  disconnections: number;
  missed: number;
  members: {
    id: string;
    state: string;
    version: string;
    host: string;
    workers: string[];
    load: number;
    since: number;
  }[];
  /** Machines by the name of what they lead. */
  leaders: Record<string, string>;
}

/** How one machine does. */
export interface MachineState {
  state: string;
  /** App workers that take requests, and that are wanted. */
  ready: number;
  wanted: number;
  /** Of the processes that are ready. */
  pids: { agent: number[]; workers: number[] };
  served: { requests: number; errors: number };
  lastReload?: { at: string; asker?: string; outcome: 'running' | 'done' | 'failed'; reason?: string };
}

/** Asks the fleet plugin of the app in a directory. */
export type AskFleet = <T>(request: { command: string; [field: string]: unknown }) => Promise<T>;

export function fleetOf(directory: string): AskFleet {
  return async <T>(request: object) => (await askMaster(directory, { command: 'fleet', request })) as T;
}
