import net from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { socketPath } from '../../ipc/socket_path.js';
import type { ProfileRequest } from '../profile/profiles.js';

/** What a client may ask of the Master. */
export type ControlRequest =
  | { command: 'status' }
  | { command: 'reload'; envFile?: string }
  /** What the file of variables would change. */
  | { command: 'environment'; file: string }
  | { command: 'stop' }
  /** With the Node that runs the new Master. */
  | { command: 'upgrade'; execPath: string }
  | { command: 'workers'; count: number }
  /** Changes a cluster option. */
  | { command: 'set'; name: string; value: string }
  | { command: 'profile'; request: ProfileRequest }
  /** For the schedule plugin in the Agent. */
  | { command: 'schedule'; request: unknown }
  /** For the fleet plugin in the Agent. */
  | { command: 'fleet'; request: unknown };

/** Who sends a command. Only the user of the Master can send one, so that nobody has a reason to lie. */
export interface ControlPeer {
  pid: number;
  user: string;
}

export type ControlReply = { value: unknown } | { error: string };

/** Where the Master of an app listens for commands; only the user that runs it can reach it. */
export function controlPath(baseDir: string): string {
  return socketPath(path.join(baseDir, 'run'), 'clutch');
}

/**
 * Sends a command to the Master of an app.
 *
 * @throws {ClutchError} ERR_CLUTCH_NOT_RUNNING when there is none, ERR_CLUTCH_CONTROL with the Master's error
 */
export async function askMaster(baseDir: string, request: ControlRequest): Promise<unknown> {
  const peer: ControlPeer = { pid: process.pid, user: userName() };
  const reply = await exchange(baseDir, `${JSON.stringify({ ...request, peer })}\n`);
  if ('error' in reply) throw new ClutchError('ERR_CLUTCH_CONTROL', `${request.command} failed: ${reply.error}`);
  return reply.value;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no entry.
    return `uid ${process.getuid?.()}`;
  }
}

function exchange(baseDir: string, request: string): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    let text = '';
    const notRunning = (cause?: Error): void =>
      reject(
        new ClutchError('ERR_CLUTCH_NOT_RUNNING', 'no app of Clutch is running here', {
          where: baseDir,
          fix: 'Start it with `clutch start`, or name its directory.',
          cause,
        }),
      );
    const socket = net.connect(controlPath(baseDir), () => socket.write(request));
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', notRunning);
    socket.on('end', () => (text === '' ? notRunning() : resolve(JSON.parse(text) as ControlReply)));
  });
}
