import { INIT } from '../../cluster/index.js';

/**
 * Runs the command that follows, passes signals on to it, and reaps whatever else ends: a shell that waits
 * collects every child, those that the kernel has given to process 1 included.
 */
const SCRIPT = `"$@" &
child=$!
for signal in HUP INT QUIT TERM; do trap "kill -$signal $child" $signal; done
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
exit $code`;

/**
 * In a container the Master is often process 1, to which the kernel gives every orphan; Node never reaps them, and
 * their entries stay until the container ends. Where Node can replace its own program, this process becomes a shell
 * that is the parent of Clutch. Elsewhere a line says what to do.
 *
 * @returns when there is nothing to do, or nothing that could be done
 */
export function becomeInit(): void {
  if (process.pid !== 1) return;
  const { execve } = process as unknown as { execve?: (file: string, args: string[], env: NodeJS.ProcessEnv) => void };
  if (!execve) {
    console.warn('Process 1 on this version of Node does not reap orphans: run the container with an init (--init).');
    return;
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  execve('/bin/sh', ['sh', '-c', SCRIPT, 'clutch-init', ...command], { ...process.env, [INIT]: '1' });
}
