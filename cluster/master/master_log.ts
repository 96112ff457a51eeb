/** What the Master prints: one line for each event, to stdout or stderr. */
export interface MasterLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** A reader that has gone away must not take the Master with it: EPIPE is ignored from here on. */
export function createMasterLog(): MasterLog {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
  }
  const line = (level: string, message: string): string =>
    `${new Date().toISOString()} ${level} ${process.pid} [master] ${message}\n`;
  return {
    info: (message) => void process.stdout.write(line('INFO', message)),
    warn: (message) => void process.stderr.write(line('WARN', message)),
    error: (message) => void process.stderr.write(line('ERROR', message)),
  };
}

function ignore(): void {}
