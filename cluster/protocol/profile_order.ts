/** With the file that each kind makes, which Chrome DevTools opens. */
export const PROFILE_KINDS = { cpu: 'cpuprofile', heap: 'heapsnapshot', allocations: 'heapprofile' } as const;

export type ProfileKind = keyof typeof PROFILE_KINDS;

/** What a process is to do. */
export interface ProfileOrder {
  kind: ProfileKind;
  /** For how long CPU and allocations are sampled. */
  seconds: number;
  /** Absolute path of a file that is not there. */
  file: string;
}

export interface ProfileOutcome {
  /** That of the order. */
  file: string;
  /** Size of the file. */
  bytes: number;
  /** When the sampling began, in milliseconds since the epoch. */
  startedAt?: number;
  /** Why there is none. */
  error?: string;
}
