import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Supervisor } from './supervisor.js';

/**
 * Reads `+ pid` and `- pid`, a line each, until the Master is gone. Then it kills the processes on its list, and those that
 * they have started, unless they end by themselves meanwhile. A pid counts only together with the time at which its
 * process started, so that a later process with the same pid is left alone. It survives stray signals of the terminal.
 */
const SCRIPT = `trap '' HUP INT QUIT TERM
# Sets start and parent of a process; both are empty if it has gone.
look_at() {
  start= parent=
  if [ -r /proc/$$/stat ]; then
    read -r stat < /proc/$1/stat || return
    set -- \${stat##*) }
    parent=$2 start=\${20}
  else
    set -- $(ps -o ppid= -o lstart= -p $1)
    parent=$1
    [ $# -gt 1 ] && shift && start=$(IFS=-; echo "$*" | tr : .)
  fi
} 2> /dev/null
all_pids() {
  if [ -r /proc/$$/stat ]; then cd /proc && echo [0-9]*; else ps -A -o pid=; fi
}
known=' '
add_descendants() {
  table= living=' '
  for pid in $(all_pids); do
    look_at $pid
    [ "$start" ] || continue
    table="$table $pid:$parent:$start"
    case $known in *" $pid:$start "*) living="$living$pid " ;; esac
  done
  more=1
  while [ $more ]; do
    more=
    for entry in $table; do
      pid=\${entry%%:*} parent=\${entry#*:}
      start=\${parent#*:} parent=\${parent%%:*}
      case $living in *" $pid "*) continue ;; esac
      case $living in *" $parent "*) known="$known$pid:$start " living="$living$pid " more=1 ;; esac
    done
  done
}
while read -r change pid; do
  case $pid in ''|*[!0-9]*) continue ;; esac
  case $change in
    +) look_at $pid; [ "$start" ] && known="$known$pid:$start " ;;
    -) case $known in *" $pid:"*) rest=\${known#* $pid:}; known="\${known%% $pid:*} \${rest#* }" ;; esac ;;
  esac
done
[ "$known" = ' ' ] && exit
add_descendants
sleep 1.5 || sleep 2
add_descendants
for entry in $known; do
  look_at \${entry%%:*}
  [ "$start" ] && [ "$start" = "\${entry#*:}" ] && kill -9 \${entry%%:*}
done`;

/** Milliseconds that the shell must have run to be started again when it ends. */
const STABLE = 1000;

/**
 * Ends the children when the Master is killed and a child cannot notice, because its event loop is blocked.
 * It is a shell that waits for the end of a pipe: it costs no thread in any process and next to no memory.
 * Where there is no shell, children still end by themselves as soon as their event loop runs.
 *
 * @param supervisors they have not forked anything yet
 */
export function reapOrphans(supervisors: Supervisor[]): void {
  if (process.platform === 'win32') return;
  const startShell = (): Socket | undefined => {
    const begin = Date.now();
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'clutch-orphan-reaper'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    shell.on('error', () => undefined);
    shell.stdin?.on('error', () => undefined);
    shell.once('exit', () => {
      if (Date.now() - begin < STABLE) return;
      stdin = startShell();
      for (const { handle } of supervisors.flatMap(({ all }) => all)) report('+', handle.id);
    });
    shell.unref();
    return shell.stdin instanceof Socket ? shell.stdin.unref() : undefined;
  };
  let stdin = startShell();
  const report = (change: '+' | '-', pid: number): void => void stdin?.write(`${change} ${pid}\n`);

  for (const supervisor of supervisors) {
    supervisor.on('forked', ({ handle }) => {
      report('+', handle.id);
      handle.once('exit', () => report('-', handle.id));
    });
  }
}
