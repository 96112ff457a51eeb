import { userInfo } from 'node:os';
import { ClutchError } from '../../errors.js';
import { askControlSocket, type ControlPeer } from '../../ipc/control_socket.js';
import type { ProfileRequest } from '../profile/profiles.js';

/** What a client may ask of the Master. */
export type ControlRequest =
  | { command: 'status' }
  | { command: 'reload'; envFile?: string }
  /** What the file of variables would change. */
  | { command: 'environment'; file: string }
  | { command: 'stop' }
  /** With the Node that runs the new Master, which is ended if it is not ready in time (ms), or if the client leaves. */
  | { command: 'upgrade'; execPath: string; timeout?: number }
  | { command: 'workers'; count: number }
  /** Changes cluster options, or only checks the changes. */
  | { command: 'set'; options: [name: string, value: string][]; dryRun: boolean }
  /** One of the page's, see cluster/admin/page_data.ts. */
  | { command: 'view'; name: string }
  | { command: 'profile'; request: ProfileRequest }
  /** For the schedule plugin in the Agent. */
  | { command: 'schedule'; request: unknown }
  /** For the jobs plugin in the Agent. */
  | { command: 'jobs'; request: unknown }
  /** For the fleet plugin in the Agent. */
  | { command: 'fleet'; request: unknown };

/**
 * Sends a command to the Master of an app.
 *
 * @throws {ClutchError} ERR_CLUTCH_NOT_RUNNING when there is none, the Master's error otherwise: ERR_CLUTCH_CONTROL if that has
 * no code of its own
 */
export async function askMaster(baseDir: string, request: ControlRequest): Promise<unknown> {
  const peer: ControlPeer = { pid: process.pid, user: userName() };
  const reply = await askControlSocket(baseDir, { ...request, peer });
  if (!('error' in reply)) return reply.value;
  if (reply.code) throw new ClutchError(reply.code, reply.error);
  throw new ClutchError('ERR_CLUTCH_CONTROL', `${request.command} failed: ${reply.error}`);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no entry.
    return `uid ${process.getuid?.()}`;
  }
}
