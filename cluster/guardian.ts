import { type ChildProcess, spawn } from 'node:child_process';

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
export class Guardian {
  #shell: ChildProcess | undefined;

  start(): void {
    if (process.platform === 'win32') return;
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'clutch-guardian'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    for (const emitter of [this.#shell, this.#shell.stdin]) emitter?.on('error', () => undefined);
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }

  watch(pid: number): void {
    this.#shell?.stdin?.write(`+${pid}\n`);
  }

  forget(pid: number): void {
    this.#shell?.stdin?.write(`-${pid}\n`);
  }
}
