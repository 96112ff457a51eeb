import type { EventEmitter } from 'node:events';
import { toError } from '../../../errors.js';

/** Emits a message such that a listener that throws or rejects stops neither the other listeners nor the process. */
export function emitMessage(
  emitter: EventEmitter,
  { action, data }: { action: string; data?: unknown },
  onError: (error: Error) => void,
): void {
  const report = (thrown: unknown): void => {
    const error = toError(thrown);
    error.message = `listener of message "${action}": ${error.message}`;
    onError(error);
  };
  for (const listener of emitter.rawListeners(action)) {
    try {
      const result: unknown = listener.call(emitter, data);
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
  }
}
