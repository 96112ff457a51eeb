import net from 'node:net';
import path from 'node:path';
import { ClutchError, type ErrorCode } from '../errors.js';
import { socketPath } from './socket_path.js';

/** Who sends a command. Only the user of the Master can send one, so that nobody has a reason to lie. */
export interface ControlPeer {
  pid: number;
  user: string;
}

/** `code` is that of a ClutchError; its message follows without it. */
export type ControlReply = { value: unknown } | { error: string; code?: ErrorCode };

/** Where the Master of an app listens for commands; only the user that runs it can reach it. */
export function controlPath(baseDir: string): string {
  return socketPath(path.join(baseDir, 'run'), 'clutch');
}

/**
 * Sends one request to the Master of an app, and resolves with its reply.
 *
 * @throws {ClutchError} ERR_CLUTCH_NOT_RUNNING when there is none
 */
export function askControlSocket(
  baseDir: string,
  request: { command: string; peer: ControlPeer; [key: string]: unknown },
): Promise<ControlReply> {
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
    const socket = net.connect(controlPath(baseDir), () => socket.write(`${JSON.stringify(request)}\n`));
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', notRunning);
    socket.on('end', () => (text === '' ? notRunning() : resolve(JSON.parse(text) as ControlReply)));
  });
}
