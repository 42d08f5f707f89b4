"""A new terminal with a program on it, as a user's shell would start it; the other scripts here play the user."""
import fcntl, os, pty, select, signal, struct, termios, time


class Terminal:
    def __init__(self, command, rows=24, cols=80):
        self.master, self.slave = pty.openpty()
        self.resize(rows, cols)
        self.before = termios.tcgetattr(self.slave)
        # What was printed and nobody has looked at.
        self.seen = b""
        self.pid = os.fork()
        if self.pid == 0:
            self._become(command)

    def _become(self, command):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(self.slave, fd)
        os.closerange(3, 100)
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, cols, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def read(self, seconds):
        """Whether something was printed in this time."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.seen += os.read(self.master, 4096)
        return True

    def end(self, seconds):
        """The status, or None and SIGKILL after this time."""
        limit = time.time() + seconds
        while time.time() < limit:
            self.read(0.05)
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)

    def restored(self, seconds=60):
        """Whether its settings are as before: whoever was killed needs a moment for that."""
        limit = time.time() + seconds
        while termios.tcgetattr(self.slave) != self.before and time.time() < limit:
            time.sleep(0.05)
        return termios.tcgetattr(self.slave) == self.before
