import { spawn } from 'node:child_process';
import type { ManagedChild } from './managed_child.js';

interface GuardedPool {
  readonly all: ManagedChild[];
  on(event: 'forked', listener: (child: ManagedChild) => void): unknown;
}

/**
 * Reads `+pid` and `-pid`, a line each, until the Master is gone; what is on the list then and has not ended by
 * itself soon after is killed. A stray signal of the terminal must not end it.
 */
const SCRIPT = `trap '' HUP INT QUIT TERM
pids=' '
while read -r change; do
  pid=\${change#?}
  case $change in
    +*) pids="$pids$pid " ;;
    -*) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
[ "$pids" = ' ' ] && exit
sleep 1.5
kill -9 $pids 2>/dev/null`;

/**
 * Ends the children when the Master is killed and a child cannot see it because its event loop is blocked.
 * It is a shell that waits for the end of a pipe: it costs no thread in any process and next to no memory.
 * Where there is no shell, children still end by themselves as soon as their event loop runs.
 */
export class OrphanReaper {
  /** Starts to watch the children of these pools, and those they fork later. */
  start(pools: GuardedPool[]): void {
    if (process.platform === 'win32') return;
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'clutch-guardian'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    for (const emitter of [shell, shell.stdin]) emitter.on('error', () => undefined);
    shell.unref();
    (shell.stdin as unknown as { unref?: () => void }).unref?.();
    const guard = ({ handle: child }: ManagedChild): void => {
      shell.stdin.write(`+${child.id}\n`);
      child.once('exit', () => shell.stdin.write(`-${child.id}\n`));
    };
    for (const pool of pools) {
      for (const child of pool.all) guard(child);
      pool.on('forked', guard);
    }
  }
}
