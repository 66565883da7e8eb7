"""Runs a program on a pseudo terminal of 80 columns and 24 lines.

Copies stdin to the terminal, and what the terminal shows to stdout. The first line of stderr is the id of the program's process.
Exits as the program does: with 128 and the number of the signal if one has ended it.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios


def main(command):
    pid, terminal = pty.fork()
    if pid == 0:
        # Before the program starts, so that it never sees another size.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execv(command[0], command)
    print(pid, file=sys.stderr, flush=True)
    inputs = [terminal, 0]
    while terminal in inputs:
        for ready in select.select(inputs, [], [])[0]:
            try:
                data = os.read(ready, 65536)
            except OSError:  # The program has closed the terminal.
                data = b""
            if not data:
                inputs.remove(ready)
            elif ready == terminal:
                os.write(1, data)
            else:
                os.write(terminal, data)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.exit(code if code >= 0 else 128 - code)


main(sys.argv[1:])
