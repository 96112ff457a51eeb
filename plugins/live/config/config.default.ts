export default {
  live: {
    /** Milliseconds between two signs of life on an idle connection; 0 for none. */
    heartbeat: 30_000,
    sse: {
      /** Milliseconds after which a client connects again, told to it when this process drains. */
      retry: 2000,
    },
    ws: {
      /** Bytes of one message. */
      maxPayload: 1024 * 1024,
      /** Which pages may connect: `same` for those of this host, a list of origins, or `any`. Programs send no origin. */
      origin: 'same' as 'same' | 'any' | string[],
    },
  },
};
