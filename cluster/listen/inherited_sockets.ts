import { fstatSync, linkSync, readFileSync, renameSync, rmSync } from 'node:fs';

/** A listening socket that another process has opened for this one, or that this one gives to another. */
export interface ListeningSocket {
  fd: number;
  /** Host name or address as the app gave it, or the path of a unix socket. */
  address: string;
  /** Undefined for a unix socket. */
  port: number | undefined;
  /** Whether the file of a unix socket is removed by the last Master; systemd removes its own. */
  removesFile: boolean;
}

/** The first descriptor that systemd passes. */
const FIRST = 3;

/** The sockets that a Master has inherited: of systemd's socket activation, or of the Master that it replaces. */
export class InheritedSockets {
  readonly all: readonly ListeningSocket[];
  readonly #unused: Set<ListeningSocket>;

  constructor(sockets: readonly ListeningSocket[] = []) {
    this.all = sockets;
    this.#unused = new Set(sockets);
  }

  /** TCP sockets are found by their port, whatever their address. Each is given once. */
  take(address: string, port: number | undefined): ListeningSocket | undefined {
    for (const socket of this.#unused) {
      if (socket.port !== port || (port === undefined && socket.address !== address)) continue;
      this.#unused.delete(socket);
      return socket;
    }
    return undefined;
  }

  hasPath(path: string): boolean {
    return this.all.some(({ address, port }) => port === undefined && address === path);
  }

  get unused(): ListeningSocket[] {
    return [...this.#unused];
  }
}

/**
 * Finds the sockets of systemd's socket activation.
 *
 * @param env without the variables afterwards: the children have other descriptors
 */
export function activatedSockets(env: NodeJS.ProcessEnv = process.env): ListeningSocket[] {
  const { LISTEN_FDS, LISTEN_PID } = env;
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete env[name];
  if (Number(LISTEN_PID) !== process.pid) return [];
  const descriptors = Array.from({ length: Number(LISTEN_FDS) || 0 }, (_, index) => FIRST + index);
  return descriptors.flatMap((fd) => {
    const inode = String(fstatSync(fd).ino);
    const port = portOf(inode);
    const address = port === undefined ? pathOf(inode) : '';
    return address === undefined ? [] : [{ fd, address, port, removesFile: false }];
  });
}

/** @returns the port of a TCP socket, as the kernel lists it */
function portOf(inode: string): number | undefined {
  for (const table of ['tcp', 'tcp6']) {
    const fields = rows(table).find((row) => row[9] === inode);
    if (fields) return Number.parseInt((fields[1] as string).split(':').at(-1) as string, 16);
  }
  return undefined;
}

/** @returns the path of a unix socket */
function pathOf(inode: string): string | undefined {
  return rows('unix').find((row) => row[6] === inode)?.[7];
}

function rows(table: string): string[][] {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}

/**
 * Closes this process's end of a unix socket that another process goes on serving: libuv removes the file of a socket that it
 * has created. The file is away for microseconds.
 */
export function closeKeepingFile(path: string, close: () => void): void {
  const kept = `${path}.${process.pid}`;
  try {
    linkSync(path, kept);
    close();
    renameSync(kept, path);
  } finally {
    // Two names of one file: rename has left both.
    rmSync(kept, { force: true });
  }
}
