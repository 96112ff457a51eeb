import { readdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { controlPath } from '../../../cluster/index.js';
import { pidFileOf, pidInFile, runningMaster } from '../../process/running.js';
import type { Finding } from '../finding.js';

export interface LeftoverFacts {
  /** Pid of the app's Master, if it runs. */
  master: number | undefined;
  pidFile: string;
  /** What the pid file says. */
  pid: number | undefined;
  /** Sockets that nobody listens on. */
  deadSockets: readonly string[];
}

export async function gatherLeftovers(baseDir: string): Promise<LeftoverFacts> {
  const sockets = await Promise.all(socketsOf(baseDir).map(async (file) => ((await isDead(file)) ? [file] : [])));
  return {
    master: await runningMaster(baseDir),
    pidFile: pidFileOf(baseDir),
    pid: pidInFile(baseDir),
    deadSockets: sockets.flat(),
  };
}

function socketsOf(baseDir: string): string[] {
  const run = path.join(baseDir, 'run');
  const files = new Set(process.platform === 'win32' ? [] : [controlPath(baseDir)]);
  try {
    for (const entry of readdirSync(run, { withFileTypes: true })) {
      if (entry.isSocket()) files.add(path.join(run, entry.name));
    }
  } catch {
    // Nothing has run here yet.
  }
  return [...files];
}

function isDead(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(file, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

export function checkLeftovers({ master, pidFile, pid, deadSockets }: LeftoverFacts): Finding[] {
  const findings: Finding[] = [];
  if (pid !== undefined && master === undefined) {
    findings.push({
      level: 'note',
      what: `the file of pid ${pid} is left over from a Master that has ended without stopping`,
      where: pidFile,
      fix: `rm '${pidFile}' (the next start does it, too); common-error.log and the Master's log say how it ended`,
    });
  }
  for (const file of deadSockets) {
    findings.push({
      level: 'note',
      what: 'nobody listens on this socket: its process has ended without stopping',
      where: file,
      fix: `rm '${file}' (the next start does it, too)`,
    });
  }
  return findings;
}
