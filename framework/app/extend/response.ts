const REAL_STATUS = Symbol('response.realStatus');

export default {
  /** The status that happened, where another one is sent, as with a redirect to an error page. */
  get realStatus(): number {
    const response = this as unknown as Record<symbol, number> & { status: number };
    return response[REAL_STATUS] ?? response.status;
  },

  set realStatus(status: number) {
    (this as unknown as Record<symbol, number>)[REAL_STATUS] = status;
  },
};
