import { CONTROL } from '../../ipc/message.js';
import { bootChild, type ChildApplication, closeAndExit } from './child.js';
import { Heartbeat } from './heartbeat.js';

/** Exit code of an Agent whose Master has gone. */
const MASTER_GONE = 110;
/** Milliseconds for the close hooks then. */
const MASTER_GONE_LIMIT = 1200;

let heartbeat: Heartbeat | undefined;

void bootChild<ChildApplication>(
  'Agent',
  (boot, link) => {
    heartbeat = new Heartbeat(link, boot.statsInterval);
  },
  ({ app, link }) => {
    if (heartbeat) heartbeat.lostLines = () => app.loggers?.lostLines ?? 0;
    let closing = false;
    const close = (code: number, limit?: number): void => {
      if (closing) return;
      closing = true;
      void closeAndExit(app, code, limit);
    };
    link.onClose(() => close(0));
    link.onGone(() => close(MASTER_GONE, MASTER_GONE_LIMIT));
    link.send({ clutch: CONTROL.ready });
  },
);
