interface Child {
  readonly pid?: number | undefined;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  kill(signal: NodeJS.Signals): boolean;
  once(event: 'exit', listener: () => void): unknown;
}

/**
 * Ends a child with SIGTERM, and with SIGKILL when it is still there after `timeout`.
 *
 * @param timeout milliseconds
 * @returns true when it had to be killed
 */
export function terminate(child: Child, timeout: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      child.kill('SIGKILL');
    }, timeout);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(killed);
    });
    child.kill('SIGTERM');
  });
}

/** @returns milliseconds that a process gets to close, from the environment variables that Egg has for it */
export function closeTimeout(kind: 'app' | 'agent'): number {
  const specific = process.env[kind === 'app' ? 'EGG_APP_CLOSE_TIMEOUT' : 'EGG_AGENT_CLOSE_TIMEOUT'];
  const milliseconds = Number.parseInt(specific ?? process.env['EGG_MASTER_CLOSE_TIMEOUT'] ?? '', 10);
  return milliseconds > 0 ? milliseconds : 5000;
}
