export default {
  jobs: {
    /** A test has its own jobs, and leaves none behind. */
    engine: 'memory' as const,
  },
};
