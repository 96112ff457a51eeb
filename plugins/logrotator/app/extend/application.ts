import { LogRotator } from '../../lib/rotator.js';

export default {
  /** The base of rotators that an app writes itself. */
  get LogRotator(): typeof LogRotator {
    return LogRotator;
  },
};
