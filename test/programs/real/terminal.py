"""A program on a terminal of its own, and a user who looks before typing: for the scripts here."""
import fcntl, os, pty, select, struct, termios


class Terminal:
    def __init__(self, *command, rows=24, cols=80):
        self.fd, self.slave = pty.openpty()
        self.resize(rows, cols)
        # All that was printed, and whether everybody has left.
        self.seen, self.over = b"", False
        self.pid = os.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            os.closerange(3, 100)
            os.execvp(command[0], command)

    def resize(self, rows, cols):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", rows, cols, 0, 0))

    def read(self, seconds):
        """Whether something was printed in this time."""
        if self.over or not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            self.seen += os.read(self.fd, 65536)
        except OSError:
            self.over = True
        return not self.over

    def until(self, true):
        while not true():
            self.read(0.02)

    def raw(self):
        """Whether keys are read as they come, and all that were typed have been."""
        keys = fcntl.ioctl(self.slave, termios.FIONREAD, b"1234")
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON and keys == bytes(4)

    def waits(self):
        return open(f"/proc/{self.pid}/stat").read().rpartition(") ")[2][0] in "SZ"

    def children(self):
        return open(f"/proc/{self.pid}/task/{self.pid}/children").read().split()

    def settle(self):
        """Until the program has nothing to do but to wait for keys, or has ended."""
        quiet = 0
        while quiet < 20 and not self.ended():
            quiet = 0 if self.read(0.02) or not (self.raw() and self.waits()) else quiet + 1

    def type(self, keys):
        self.settle()
        os.write(self.fd, keys)

    def ended(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self):
        """Its status."""
        self.until(self.ended)
        os.close(self.slave)
        while self.read(0):
            pass
        os.close(self.fd)
        return os.waitpid(self.pid, 0)[1]
