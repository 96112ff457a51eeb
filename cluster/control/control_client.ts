import net from 'node:net';
import { ClutchError } from '../../errors.js';
import { type ControlAnswer, type ControlRequest, controlPath } from '../protocol/control_protocol.js';

/**
 * Asks the Master of an app.
 *
 * @throws {ClutchError} ERR_CLUTCH_NOT_RUNNING when there is none, ERR_CLUTCH_CONTROL with what the Master says
 */
export async function askMaster(baseDir: string, request: ControlRequest): Promise<unknown> {
  const answer = await exchange(baseDir, `${JSON.stringify(request)}\n`);
  if ('error' in answer) throw new ClutchError('ERR_CLUTCH_CONTROL', `${request.command} failed: ${answer.error}`);
  return answer.value;
}

function exchange(baseDir: string, request: string): Promise<ControlAnswer> {
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
    socket.on('end', () => (text === '' ? notRunning() : resolve(JSON.parse(text) as ControlAnswer)));
  });
}
