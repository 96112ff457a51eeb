const MEBIBYTE = 1024 * 1024;

/** Messages that a process keeps for a receiver that is not ready for them: a child that boots, an app before `egg-ready`. */
export const EARLY_MESSAGES = 10_000;
/** Bytes of messages that the Master keeps for one process that does not read. */
export const MASTER_QUEUE = 64 * MEBIBYTE;
/** Bytes of one value between Leader and Follower. */
export const FRAME_PAYLOAD = 64 * MEBIBYTE;
/** Bytes of a frame of a peer that has not shown its token. */
export const UNAUTHENTICATED_FRAME_PAYLOAD = 1024;
/** Bytes that Leader or Follower keep for a peer that does not read. */
export const FRAME_QUEUE = 128 * MEBIBYTE;
/** Values of a stream that may be on their way. */
export const LARGEST_WINDOW = 10_000;
