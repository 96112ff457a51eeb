import path from 'node:path';
import { socketPath } from '../../ipc/socket_path.js';

/** What a client may ask of the Master. */
export type ControlRequest =
  | { command: 'status' }
  | { command: 'reload' }
  | { command: 'stop' }
  | { command: 'workers'; count: number };

export type ControlAnswer = { value: unknown } | { error: string };

/** Where the Master of an app listens for commands: only the user that runs it can reach it. */
export function controlPath(baseDir: string): string {
  return socketPath(path.join(baseDir, 'run'), 'clutch');
}
