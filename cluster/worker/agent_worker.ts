import { CONTROL, isControl } from '../../ipc/message.js';
import { bootChild, type ChildApplication } from '../child/boot_child.js';

/** Exit code of an Agent whose Master has gone. */
const MASTER_GONE = 110;
/** Milliseconds for the close hooks then. */
const MASTER_GONE_LIMIT = 1200;

void bootChild<ChildApplication>('Agent', ({ app, link, end }) => {
  let closing = false;
  const close = (code: number, limit?: number): void => {
    if (closing) return;
    closing = true;
    void end(code, limit);
  };
  link.onMessage((message) => {
    if (isControl(message) && message.clutch === CONTROL.death) app.emit('death', message.data);
  });
  link.onClose(() => close(0));
  link.onGone(() => close(MASTER_GONE, MASTER_GONE_LIMIT));
  link.send({ clutch: CONTROL.ready });
});
