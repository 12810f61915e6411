"""Standard streams that the caller has closed (`>&-`)."""

import os
import sys


def open_standard_streams() -> None:
    """Open closed ones on the null device: nobody listens, and no file that is opened later takes their place."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor is the closed one
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))
