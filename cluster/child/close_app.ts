import { toError } from '../../errors.js';
import { maskText } from '../../output/secrets.js';
import { stderr } from '../../output/stdio.js';

/** Milliseconds for the close hooks of an application that is not ready. */
export const BOOTING_CLOSE_LIMIT = 1200;

interface ClosedApplication {
  close(): Promise<void>;
  /** Of a framework that is Clutch's. */
  loggers?: { close?(): void };
}

/**
 * Runs the close hooks, whatever they do.
 *
 * @param limit milliseconds after which the process ends in the middle of a hook
 * @returns the exit code: the one that is given, but not 0 if a hook has thrown
 */
export async function closeApp(app: ClosedApplication, code: number, limit?: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => {
    if (limit === undefined) return;
    timer = setTimeout(() => {
      app.loggers?.close?.();
      resolve(code);
    }, limit);
  });
  const exitCode = await Promise.race([runCloseHooks(app, code), late]);
  clearTimeout(timer);
  return exitCode;
}

async function runCloseHooks(app: ClosedApplication, code: number): Promise<number> {
  try {
    await app.close();
    return code;
  } catch (error) {
    // Clutch's own framework has logged it.
    if (!app.loggers) stderr().write(`${maskText(String(toError(error).stack))}\n`);
    return code || 1;
  }
}
