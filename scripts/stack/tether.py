"""Run a command that ends when its parent does: `tether.py SIGNAL COMMAND...`.

A test run or a supervisor that is killed outright can't end its children; the Linux kernel can. Other systems
have nothing like it: there the command just runs. Imports little, for it stands before every part.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(name: str, *command: str) -> None:
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.Signals[f"SIG{name}"], 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the parent ended before its child began")
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
