import type { Context } from '../../../core/index.js';

/** @returns a signal that is aborted when the client leaves before it has the whole response */
export function clientSignal({ res }: Context): AbortSignal {
  const controller = new AbortController();
  const leave = (): void => {
    if (!res.writableFinished) controller.abort(new DOMException('The client has left', 'AbortError'));
  };
  if (res.destroyed || res.socket?.destroyed) leave();
  else res.once('close', leave);
  return controller.signal;
}
