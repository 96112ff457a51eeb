export default {
  fleet: {
    /** `memory` for one machine, `redis` or `nats`. */
    adapter: 'memory',
    /** Milliseconds that a lease lasts, and that a machine is missing before it is taken off the list. */
    lease: 10_000,
    /** Milliseconds that a call to the server may take, and that messages wait for a connection. */
    timeout: 2000,
    /** Whether sessions are on the server. */
    session: false,
  },
  /** Of the middleware `rateLimit`, which an app adds to `config.middleware` or to a route. */
  rateLimit: {},
};
