"""A child that does not outlive its parent."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
"""Source: linux/prctl.h."""


def end_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when process `parent` ends, however it ends.

    parent: id of the process that is expected to be this one's parent; when it is gone already, exit at once.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(0)
