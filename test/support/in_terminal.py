# Runs a command in a terminal of its own: in_terminal.py ROWS COLUMNS COMMAND…. What it shows goes to stdout; a line on stdin is
# {"keys": text}, {"size": [rows, columns]} or {"signal": number}. The last line on stderr says whether the terminal was
# restored, and the exit code.
import fcntl, json, os, pty, select, signal, struct, sys, termios

def set_size(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

master, slave = pty.openpty()
set_size(int(sys.argv[1]), int(sys.argv[2]))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.close(master)
    os.execvp(sys.argv[3], sys.argv[3:])
typed = b''
sources = [master, 0]
status = None
while status is None:
    ready, _, _ = select.select(sources, [], [], 0.05)
    if master in ready:
        os.write(1, os.read(master, 65536))
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            sources = [master]
        typed += data
        while b'\n' in typed:
            line, typed = typed.split(b'\n', 1)
            command = json.loads(line)
            if 'keys' in command:
                os.write(master, command['keys'].encode())
            if 'size' in command:
                set_size(*command['size'])
                os.kill(pid, signal.SIGWINCH)
            if 'signal' in command:
                os.kill(pid, command['signal'])
    done, code = os.waitpid(pid, os.WNOHANG)
    if done:
        status = code
while select.select([master], [], [], 0.1)[0]:
    os.write(1, os.read(master, 65536))
restored = termios.tcgetattr(slave) == before
sys.stderr.write(json.dumps({'restored': restored, 'code': os.waitstatus_to_exitcode(status)}) + '\n')
