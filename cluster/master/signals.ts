/** A second signal so soon is the first one again: a terminal and npm both pass it on. Milliseconds. */
const ECHO = 500;

export interface SignalListener {
  onClose(signal: string): void;
  /** Asked to end while closing. */
  onForce(signal: string): void;
  onReload(): void;
}

/** Tells what the signals to the Master mean. */
export function listenToSignals({ onClose, onForce, onReload }: SignalListener): void {
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      if (first === undefined) {
        first = Date.now();
        onClose(signal);
      } else if (Date.now() - first > ECHO) {
        onForce(signal);
      }
    });
  }
  process.on('SIGHUP', onReload);
}
