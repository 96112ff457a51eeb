import { lstatSync, rmSync } from 'node:fs';
import net from 'node:net';

/**
 * Removes the file of a unix socket that nobody serves any more: its process was killed.
 *
 * @throws when the file is no socket, or somebody serves it
 */
export async function removeStaleSocket(file: string): Promise<void> {
  if (process.platform === 'win32') return;
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isSocket()) throw new Error(`${file} is there already and is no socket`);
  if (await isServed(file)) throw new Error(`another process serves ${file}`);
  rmSync(file, { force: true });
}

function isServed(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
