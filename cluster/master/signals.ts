/** Milliseconds in which a second signal is taken for the first one again: a terminal and npm both pass it on. */
const ECHO = 500;

export interface SignalListener {
  onClose(signal: string): void;
  /** A second signal has come while the Master closes. */
  onForce(signal: string): void;
  onReload(): void;
}

/** Listens to the signals of the Master and translates them. */
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
