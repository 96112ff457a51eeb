export default {
  jobs: {
    /** `redis`, `nats`, `sqlite` or `memory`; by default the server of plugin `fleet`, else `sqlite`. */
    engine: undefined as 'redis' | 'nats' | 'sqlite' | 'memory' | undefined,
    /** Jobs that an app worker runs at the same time. */
    concurrency: 5,
    /** Attempts at a job before it is kept as failed. */
    attempts: 3,
    /** How long a failed job waits for its next attempt. */
    backoff: { type: 'exponential' as const, delay: '1s', max: '1h', jitter: 0.5 },
    /** How many jobs that have ended are kept of each name. */
    keep: { completed: 100, failed: 1000 },
    /** Time until a job whose machine no longer reports is run by another one. */
    lease: '30s',
    /** Time that a call to the server may take. */
    timeout: '5s',
  },
  customLogger: {
    jobLogger: { consoleLevel: 'NONE', file: 'clutch-jobs.log' },
  },
};
