import net from 'node:net';
import { type PortHolder, portHolder } from '../../../cluster/protocol/port_holder.js';
import type { Finding } from '../finding.js';

export interface PortFacts {
  port: number;
  /** Why it cannot be listened on; undefined if it can. */
  problem: string | undefined;
  holder: PortHolder | undefined;
  /** Pid of the app's own Master, if it runs. */
  master: number | undefined;
}

export async function gatherPort(port: number, hostname: string, master: number | undefined): Promise<PortFacts> {
  const problem = await listenProblem(port, hostname);
  return { port, problem, holder: problem === 'EADDRINUSE' ? portHolder(port) : undefined, master };
}

function listenProblem(port: number, hostname: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, ...(hostname && { host: hostname }), exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}

/** Longest part of a command line that is shown. */
const COMMAND_LENGTH = 120;

export function checkPort({ port, problem, holder, master }: PortFacts): Finding[] {
  if (problem === undefined) return [];
  const key = 'config.cluster.listen';
  const where = holder?.cwd ? `${key}; the process runs in ${holder.cwd}` : key;
  if (problem !== 'EADDRINUSE') {
    const fix =
      problem === 'EACCES'
        ? 'Use a port from 1024 on behind a proxy, or give Node the right: setcap cap_net_bind_service=+ep.'
        : 'Correct port or hostname.';
    return [{ level: 'error', what: `port ${port} cannot be listened on: ${problem}`, where, fix }];
  }
  if (master !== undefined) {
    return [
      { level: 'note', what: `the app runs on port ${port}, pid ${master}`, where, fix: '`clutch status` shows it.' },
    ];
  }
  if (!holder) {
    return [
      {
        level: 'error',
        what: `port ${port} is in use by a process that this user may not see`,
        where,
        fix: `sudo ss -ltnp 'sport = :${port}' names it; or start with --port.`,
      },
    ];
  }
  return [
    {
      level: 'error',
      what: `port ${port} is in use by pid ${holder.pid}: ${holder.command.slice(0, COMMAND_LENGTH)}`,
      where,
      fix: `kill ${holder.pid}, or start with --port.`,
    },
  ];
}
